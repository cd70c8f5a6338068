"""How far sound and picture of a played room are apart: claps heard against pictures seen.

Positive is sound that comes late. EBU R37 allows 60 ms of that, and 40 ms of the other.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from agent.settings import Camera, Devices, Microphone
from tests.support.clapper import find_claps, write_claps
from tests.support.loudspeaker import Loudspeaker
from tests.support.viewer import captured_seconds

LATE_MILLISECONDS, EARLY_MILLISECONDS = 60, 40
NEAR_SECONDS = 0.5
"""Pictures seen within so much of a clap tell the picture's delay there."""


class Gap(NamedTuple):
    """One clap: when it was made, and how much later than its picture it was heard."""

    clapped_seconds: float
    milliseconds: float


class Witness:
    """Sees the pictures of a source, and then hears what the loudspeaker played."""

    def __init__(self, framerate: float) -> None:
        self._framerate = framerate
        self._seen: list[tuple[float, float]] = []

    def on_picture(self, sample: Any) -> None:
        captured = captured_seconds(sample, self._framerate)
        self._seen.append((captured, time.monotonic() - captured))

    @property
    def pictures(self) -> int:
        return len(self._seen)

    def gaps(self, loudspeaker: Loudspeaker, since_seconds: float) -> list[Gap]:
        """Of the whole claps that were made since then, where pictures were seen."""
        sound, started, rate = loudspeaker.heard()
        captured, delays = np.array(tuple(self._seen)).T
        gaps = []
        for heard in (started + at / rate for at in find_claps(sound)):
            lowest = heard - float(np.percentile(delays, 99)) - NEAR_SECONDS
            near = delays[(captured > lowest) & (captured < heard)]
            if not len(near):
                continue
            clapped = round(heard - float(np.median(near)))
            around = delays[np.abs(captured - clapped) < NEAR_SECONDS]
            if clapped >= since_seconds and len(around):
                late = heard - clapped - float(np.median(around))
                gaps.append(Gap(clapped, round(late * 1000, 1)))
        return gaps


def clapping_room(folder: Path, **camera: Any) -> Devices:
    """A simulated room that claps at each whole second."""
    claps = folder / "claps.wav"
    write_claps(claps)
    return Devices(
        camera=Camera(driver="simulated", **camera),
        microphone=Microphone(driver="simulated", source=str(claps)),
    )
