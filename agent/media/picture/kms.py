"""The screen itself, as GStreamer's kmssink wants to be told: which graphics card, which connector.

Left alone, kmssink tries the cards of a list that it was built with.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from agent.errors import MediaError

SYSFS = Path("/sys")
DEV = Path("/dev")


class Card(NamedTuple):
    """An open graphics card (close `descriptor`) and the connector's id on it."""

    descriptor: int
    connector_id: int

    @property
    def sink(self) -> str:
        """GStreamer text. The graphics drivers of a Pi are atomic: they wait for the refresh themselves, and
        a sink that did so, too, would show half of a 30 Hz television's pictures (kmssink, skip-vsync).
        """
        return (
            f"kmssink name=out sync=false skip-vsync=true fd={self.descriptor} "
            f"connector-id={self.connector_id}"
        )


def open_card(wanted: str | None, sysfs: Path = SYSFS, dev: Path = DEV) -> Card:
    """The card with this connector, such as HDMI-A-1; None: the first connected one, else the first.

    Whoever opens a card first may draw on it. Raises MediaError (`no-screen`).
    """
    places = sorted((sysfs / "class/drm").glob("card*-*"))
    places = [place for place in places if "-Writeback-" not in place.name]
    usable = [place for place in places if wanted in (None, _name(place))]
    if not usable:
        names = ", ".join(map(_name, places)) or "none"
        raise MediaError("no-screen", f"no connector {wanted or 'at all'} (found: {names})")
    chosen = next((place for place in usable if _read(place / "status") == "connected"), usable[0])
    node = dev / "dri" / chosen.name.partition("-")[0]
    try:
        descriptor = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise MediaError("no-screen", f"{node}: {error.strerror}") from error
    return Card(descriptor, int(_read(chosen / "connector_id") or -1))


def _name(place: Path) -> str:
    """HDMI-A-1 of card1-HDMI-A-1."""
    return place.name.partition("-")[2]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
