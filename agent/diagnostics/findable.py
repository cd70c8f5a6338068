"""The cameras and sound cards that a machine has now, as the settings would name them."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from agent.devices.alsa import cards

CARD = re.compile(r"^ *(\d+) \[(\S+) *\]: (.*)$", re.MULTILINE)
RIBBON = re.compile(r"unicam|rp1-cfe|bcm2835-isp")
"""The kernel's names for what a Pi's ribbon camera comes in by."""


class Findable(NamedTuple):
    """One device: what it is called, its driver and its name in the settings."""

    title: str
    driver: str
    device: str | None


def cameras(root: Path = Path("/")) -> list[Findable]:
    """USB cameras by their card name, two of a kind by the USB port; and the ribbon camera of a Pi."""
    ribbon: list[Findable] = []
    seen: dict[str, list[Path]] = {}
    for node in sorted((root / "sys/class/video4linux").glob("video*")):
        name = _read(node / "name")
        if RIBBON.search(name):
            ribbon = [Findable("Raspberry Pi", "picamera2", None)]
        elif _read(node / "index") in ("0", "") and "/usb" in str(node.resolve()):
            seen.setdefault(name, []).append(node)
    usb = [_usb_camera(name, node, alike, root) for name, alike in seen.items() for node in alike]
    return [*ribbon, *usb]


def _usb_camera(name: str, node: Path, alike: list[Path], root: Path) -> Findable:
    links = (root / "dev/v4l/by-path").glob("*-index0")
    link = next((link.name for link in sorted(links) if link.resolve().name == node.name), None)
    if link is None or len(alike) == 1:
        return Findable(name, "v4l2", name)
    return Findable(f"{name} ({link})", "v4l2", f"/dev/v4l/by-path/{link}")


def sound_cards(direction: str, root: Path = Path("/")) -> list[Findable]:
    """Cards that can record (`c`) or play (`p`), by the card's id; of several of a kind by the USB port, since their ids
    go by which is found first.
    """
    ports = {card.id: card.usb_port for card in cards.cards(root / "sys")}
    known = CARD.findall(_read(root / "proc/asound/cards"))
    kinds = Counter(title for _, _, title in known)
    found = []
    for number, card, title in known:
        pcms = (root / f"proc/asound/card{number}").glob(f"pcm*{direction}")
        if not (numbers := sorted(int(pcm.name[3:-1]) for pcm in pcms)):
            continue
        port = ports.get(card, "")
        shown = f"{card} (usb:{port}): {title}" if port else f"{card}: {title}"
        alike = port and kinds[title] > 1
        found.append(
            Findable(shown, "alsa", f"usb:{port}" if alike else cards.pcm_of(card, numbers[0]))
        )
    return found


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\n")
    except OSError:
        return ""
