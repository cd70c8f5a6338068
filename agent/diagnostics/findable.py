"""The cameras and sound cards that a machine has now, as the settings would name them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

CARD = re.compile(r"^ *(\d+) \[(\S+) *\]: (.*)$", re.MULTILINE)
RIBBON = re.compile(r"unicam|rp1-cfe|bcm2835-isp")
"""The kernel's names for what a Pi's ribbon camera comes in by."""


class Findable(NamedTuple):
    """One device: what it is called, its driver and its name in the settings."""

    title: str
    driver: str
    device: str | None


def cameras(root: Path = Path("/")) -> list[Findable]:
    """USB cameras by their card name, and the ribbon camera of a Pi."""
    found: dict[str, Findable] = {}
    for node in sorted((root / "sys/class/video4linux").glob("video*")):
        name = _read(node / "name")
        if RIBBON.search(name):
            found["ribbon"] = Findable("Raspberry Pi", "picamera2", None)
        elif _read(node / "index") in ("0", "") and "/usb" in str(node.resolve()):
            found[name] = Findable(name, "v4l2", name)
    return list(found.values())


def sound_cards(direction: str, root: Path = Path("/")) -> list[Findable]:
    """Cards that can record (`c`) or play (`p`), by the card's id."""
    return [
        Findable(f"{card}: {title}", "alsa", f"plughw:CARD={card},DEV=0")
        for number, card, title in CARD.findall(_read(root / "proc/asound/cards"))
        if list((root / f"proc/asound/card{number}").glob(f"pcm*{direction}"))
    ]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace").strip("\n")
    except OSError:
        return ""
