"""The screen itself, as GStreamer's kmssink wants to be told: which graphics card, which connector.

Left alone, kmssink tries the cards of a list that it was built with.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from agent.errors import MediaError
from agent.settings import Output
from agent.settings.display import by_likelihood

_MODE = re.compile(r"^(?P<width>\d+)x(?P<height>\d+)$", re.MULTILINE)
"""One that is not interlaced."""

SYSFS = Path("/sys")
DEV = Path("/dev")


class Card(NamedTuple):
    """An open graphics card (close `descriptor`) and the connector's id on it."""

    descriptor: int
    connector_id: int
    mode: tuple[int, int] | None = None
    """Width and height of the display's mode that is to be set; None where the console, or whoever it was, has set one."""

    @property
    def sink(self) -> str:
        """GStreamer text. The graphics drivers of a Pi are atomic: they wait for the refresh themselves, and
        a sink that did so, too, would show half of a 30 Hz television's pictures (kmssink, skip-vsync).

        Where no mode is set kmssink sets one. It then takes pictures of just that size, and turns to the next one in its
        wait for the refresh: with skip-vsync it would show none and count them all.
        """
        sink = f"kmssink name=out sync=false fd={self.descriptor} connector-id={self.connector_id}"
        if self.mode is None:
            return f"{sink} skip-vsync=true"
        width, height = self.mode
        size = f"video/x-raw,width={width},height={height},pixel-aspect-ratio=1/1"
        return f"videoconvertscale add-borders=true ! {size} ! {sink}"


def open_card(wanted: str | None, output: Output, sysfs: Path = SYSFS, dev: Path = DEV) -> Card:
    """The card with this connector, such as HDMI-A-1; None: the first connected one, else the first, HDMI
    before others.

    Whoever opens a card first may draw on it. Where nobody has lit the display its mode will be the `output`'s size, if
    it has such a one. Raises MediaError (`no-screen`).
    """
    places = [
        place for place in (sysfs / "class/drm").glob("card*-*") if "-Writeback-" not in place.name
    ]
    places.sort(key=lambda place: by_likelihood(_name(place)))
    usable = [place for place in places if wanted in (None, _name(place))]
    if not usable:
        names = ", ".join(map(_name, places)) or "none"
        raise MediaError("no-screen", f"no connector {wanted or 'at all'} (found: {names})")
    chosen = next((place for place in usable if _read(place / "status") == "connected"), usable[0])
    mode = _mode_to_set(chosen, output)
    node = dev / "dri" / chosen.name.partition("-")[0]
    try:
        descriptor = os.open(node, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise MediaError("no-screen", f"{node}: {error.strerror}") from error
    return Card(descriptor, int(_read(chosen / "connector_id") or -1), mode)


def _mode_to_set(place: Path, output: Output) -> tuple[int, int] | None:
    """None while a mode is set. The kernel lists the display's modes with the best one first."""
    if _read(place / "enabled") != "disabled":
        return None
    modes = [
        (int(mode["width"]), int(mode["height"])) for mode in _MODE.finditer(_read(place / "modes"))
    ]
    if not modes:
        raise MediaError("no-screen", f"nothing is connected to {_name(place)}")
    wanted = output.width, output.height
    return wanted if wanted in modes else modes[0]


def _name(place: Path) -> str:
    """HDMI-A-1 of card1-HDMI-A-1."""
    return place.name.partition("-")[2]


def _read(path: Path) -> str:
    try:
        return path.read_text().strip()
    except OSError:
        return ""
