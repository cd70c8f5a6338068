"""The machine's sound cards as sysfs shows them, and the PCM that a setting means.

Nothing is opened. Cards go by their id, since a USB card's index moves (failure row 14).
"""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from agent.errors import DeviceAbsent, DeviceError

SYSFS = Path("/sys")

_BY_ARGUMENT = re.compile(r"CARD=['\"]?(?P<card>[^,'\"]+)")
_PLACES = r"(?:plughw|hw|sysdefault|default|hdmi|iec958|spdif|front|rear|surround\d+|dmix|dsnoop)"
_BY_PLACE = re.compile(rf"^(?:plug:['\"]?)?{_PLACES}:['\"]?(?P<card>[^,='\"]+)['\"]?(?:,|$)")
"""`sysdefault:CARD=Jabra`, `plug:'hdmi:CARD=vc4hdmi0,DEV=0'`, and short forms such as `plughw:Jabra,0`."""

_PCM = re.compile(r"^pcmC\d+D(?P<number>\d+)(?P<way>[cp])$")
"""As sysfs names the PCMs of a card."""

_BY_USB = re.compile(r"^usb:(?P<port>\d+-[\d.]+)$")
"""`usb:1-1.2`: whatever card is plugged in there."""

_SUBFRAMES_ONLY = re.compile(r"^vc4hdmi\d*$")
"""Cards that take nothing but IEC958 subframes, to which `plughw:` converts in newer alsa-lib only: HDMI of a Pi
(raspberrypi/linux#3043, RPi-Distro/pi-gen#742). alsa-lib's definition of the card does (vc4-hdmi.conf)."""


_CONVERTS_TO_SUBFRAMES = re.compile(r"\b(?:sysdefault|default|hdmi):")
"""What alsa-lib's vc4-hdmi.conf defines for such a card; there is no `dmix:`, `front:` or `iec958:` of it."""

_TAKES_WHAT_THE_CARD_DOES = re.compile(
    r"^(?:hdmi|iec958|spdif|front|rear|surround\d+|dmix|dsnoop):[^']+$"
)
"""Without `plug:` before them they want the card's own channels, two at the least, and its format."""


class Card(Struct, frozen=True):
    """A sound card. `id` is ALSA's short name, as in `plughw:CARD=<id>`."""

    id: str
    captures: bool
    plays: bool
    usb_port: str = ""
    """Such as 1-1.2; it stays the same whatever the cards are called and in which order they are found.
    Empty for a card that is not on USB."""
    index: int = 0
    capture_number: int = 0
    playback_number: int = 0
    """Of its first PCM in that direction, as in `DEV=`: not every card begins with 0."""


def cards(sysfs: Path = SYSFS) -> list[Card]:
    """All sound cards, in the order of their index."""
    folder = sysfs / "class" / "sound"
    found = []
    for path in sorted(folder.glob("card*"), key=lambda path: int(path.name[4:] or 0)):
        index = int(path.name[4:] or 0)
        pcms = [_PCM.match(pcm.name) for pcm in folder.glob(f"pcmC{index}D*")]
        captures, plays = (
            sorted(int(pcm["number"]) for pcm in pcms if pcm and pcm["way"] == way) for way in "cp"
        )
        with suppress(OSError):  # it is unplugged at this moment
            found.append(
                Card(
                    (path / "id").read_text().strip(),
                    bool(captures),
                    bool(plays),
                    _usb_port(path),
                    index,
                    *(next(iter(numbers), 0) for numbers in (captures, plays)),
                )
            )
    return found


def card_of(device: str) -> str | None:
    """The card id in a PCM's name; None for PCMs defined elsewhere, such as `default`."""
    match = _BY_ARGUMENT.search(device) or _BY_PLACE.match(device)
    return match["card"] if match else None


def resolve(device: str | None, *, captures: bool, name: str, sysfs: Path = SYSFS) -> str:
    """The PCM to open for a setting. None means the only card that can do it.

    `name` is the device's name in messages. Raises DeviceAbsent when the card is not there, and
    DeviceError for an index instead of an id, or when None could mean several cards.
    """
    usable = [card for card in cards(sysfs) if (card.captures if captures else card.plays)]
    found = ", ".join(map(described, usable)) or "none"
    if device is None:
        return _first_pcm(_only(usable, name, found), captures=captures)
    if port := _BY_USB.match(device):
        there = next((card for card in usable if card.usb_port == port["port"]), None)
        if there is None:
            text = f"{name}: no sound card at USB port {port['port']}; check its cable (found: {found})"
            raise DeviceAbsent("absent", text)
        return _first_pcm(there, captures=captures)
    card = card_of(device)
    if card is not None and card.isdigit():
        text = f"{name}: '{device}' names a card by its index, which moves; use plughw:CARD=<id> (found: {found})"
        raise DeviceError("named-by-index", text)
    if card is not None and card not in [one.id for one in usable]:
        text = f"{name}: no sound card '{card}' found; check its cable (found: {found})"
        raise DeviceAbsent("absent", text)
    return _converting(device, card)


def pcm_of(card: str, number: int = 0) -> str:
    """The name under which the PCM of this number, of a card of this id, takes any format."""
    if _SUBFRAMES_ONLY.match(card):
        return f"sysdefault:CARD={card}"
    return f"plughw:CARD={card},DEV={number}"


def _first_pcm(card: Card, *, captures: bool) -> str:
    return pcm_of(card.id, card.capture_number if captures else card.playback_number)


def _converting(device: str, card: str | None) -> str:
    """The PCM that a name means, as one that takes mono S16LE on every card. `hw:` stays what it says."""
    if card is None:
        return device
    if _SUBFRAMES_ONLY.match(card) and not _CONVERTS_TO_SUBFRAMES.search(device):
        return pcm_of(card)
    return f"plug:'{device}'" if _TAKES_WHAT_THE_CARD_DOES.match(device) else device


def _usb_port(card: Path) -> str:
    """Of the interface's name in its device's path: 1-1.2 of .../usb1/1-1/1-1.2/1-1.2:1.0."""
    parts = (card / "device").resolve().parts
    interfaces = [part for part in parts if re.match(r"^\d+-[\d.]+:\d+\.\d+$", part)]
    return interfaces[-1].partition(":")[0] if interfaces else ""


def described(card: Card) -> str:
    """As people may name it in the settings."""
    return f"{card.id} (usb:{card.usb_port})" if card.usb_port else card.id


def _only(usable: list[Card], name: str, found: str) -> Card:
    if not usable:
        raise DeviceAbsent("absent", f"{name}: no sound card found; check its USB cable")
    if len(usable) > 1:
        pcms = " or ".join(f"device: {pcm_of(card.id)}" for card in usable[:2])
        text = f"{name}: several sound cards could be meant; set {pcms} (found: {found})"
        raise DeviceError("ambiguous", text)
    return usable[0]
