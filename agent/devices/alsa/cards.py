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

_BY_CARD = re.compile(r"^(?:plug)?hw:(?:CARD=)?(?P<card>[^,]+)")
"""`plughw:CARD=Jabra,DEV=0` and its short form `plughw:Jabra,0`."""


class Card(Struct, frozen=True):
    """A sound card. `id` is ALSA's short name, as in `plughw:CARD=<id>`."""

    id: str
    captures: bool
    plays: bool


def cards(sysfs: Path = SYSFS) -> list[Card]:
    """All sound cards, in the order of their index."""
    folder = sysfs / "class" / "sound"
    found = []
    for path in sorted(folder.glob("card*"), key=lambda path: int(path.name[4:] or 0)):
        pcms = [pcm.name for pcm in folder.glob(f"pcmC{path.name[4:]}D*")]
        captures = any(pcm.endswith("c") for pcm in pcms)
        plays = any(pcm.endswith("p") for pcm in pcms)
        with suppress(OSError):  # it is unplugged at this moment
            found.append(Card((path / "id").read_text().strip(), captures, plays))
    return found


def card_of(device: str) -> str | None:
    """The card id in a PCM's name; None for PCMs defined elsewhere, such as `default`."""
    match = _BY_CARD.match(device)
    return match["card"] if match else None


def resolve(device: str | None, *, captures: bool, name: str, sysfs: Path = SYSFS) -> str:
    """The PCM to open for a setting. None means the only card that can do it.

    `name` is the device's name in messages. Raises DeviceAbsent when the card is not there, and
    DeviceError for an index instead of an id, or when None could mean several cards.
    """
    usable = [card.id for card in cards(sysfs) if (card.captures if captures else card.plays)]
    found = ", ".join(usable) or "none"
    if device is None:
        return _only(usable, name, found)
    card = card_of(device)
    if card is not None and card.isdigit():
        text = f"{name}: '{device}' names a card by its index, which moves; use plughw:CARD=<id> (found: {found})"
        raise DeviceError("named-by-index", text)
    if card is not None and card not in usable:
        text = f"{name}: no sound card '{card}' found; check its cable (found: {found})"
        raise DeviceAbsent("absent", text)
    return device


def _only(usable: list[str], name: str, found: str) -> str:
    if not usable:
        raise DeviceAbsent("absent", f"{name}: no sound card found; check its USB cable")
    if len(usable) > 1:
        text = f"{name}: several sound cards could be meant; set device to plughw:CARD=<id> (found: {found})"
        raise DeviceError("ambiguous", text)
    return f"plughw:CARD={usable[0]},DEV=0"
