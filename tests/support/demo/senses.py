"""What a room sends, and whether a picture or a sound is that: the demo's eyes and ears.

Each check returns whether it held and the figure that says so.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import av

from agent.devices.camera.pattern import COLOURS_RGB, Pattern
from tests.support.demo import listening, looking
from tests.support.pictures import Picture, read_number
from tests.support.room import Room
from tests.support.sounds import RATE_HZ, Sound, frequency, level_dbfs, purity

PHOTOGRAPH = "the photograph"
LEAST_CORRELATION = 0.9
LEAST_PEAK_RATIO = 2.0
LEAST_PURITY = 0.9
TONE_TOLERANCE_HZ = 2.0
TONE_SECONDS = 1.0
SILENCE_DBFS = -60.0

Outcome = tuple[bool, str]


class Senses:
    """Knows all test pictures and one room's recordings, and recognises them."""

    def __init__(self, words: Path, video: Path) -> None:
        self._words = listening.read_wav(words)
        self._photograph = [looking.small(picture) for picture in looking.read_pictures(video)]

    def see(self, room: Room, picture: Picture) -> Outcome:
        """Whether this is what the room's camera sends."""
        camera = room.devices["camera"]
        sent = PHOTOGRAPH if "source" in camera else f"test picture {camera['pattern']}"
        known = {PHOTOGRAPH: self._photograph, **known_test_pictures(picture)}
        found = looking.recognise(picture, known)
        held = found.name == sent and found.correlation >= LEAST_CORRELATION
        return held, (
            f"{found.name}, correlation {found.correlation:.2f}, next {found.next_correlation:.2f}"
        )

    def seconds_needed(self, room: Room) -> float:
        """How much of a room's sound must be heard to judge it."""
        if "source" in room.devices["microphone"]:
            return len(self._words) / RATE_HZ
        return TONE_SECONDS

    def hear(self, room: Room, sound: Sound) -> Outcome:
        """Whether this sound, whose last sample is of just now, is what the room's microphone hears."""
        if "source" in room.devices["microphone"]:
            return self._hear_words(room, sound, time.time())
        wanted, found = room.devices["microphone"]["tone_hz"], frequency(sound)
        pure = purity(sound, found)
        held = abs(found - wanted) <= TONE_TOLERANCE_HZ and pure >= LEAST_PURITY
        return held, f"tone of {found:.1f} Hz, sent {wanted:.0f} Hz, purity {pure:.2f}"

    def _hear_words(self, room: Room, sound: Sound, ended: float) -> Outcome:
        """The words go round and round since the microphone was opened: where are they now?"""
        found = listening.find(self._words, sound)
        round_seconds = len(self._words) / RATE_HZ
        said = (ended - round_seconds - room.opened_at("microphone")) % round_seconds
        delay = (said - found.start_seconds) % round_seconds
        return found.peak_ratio >= LEAST_PEAK_RATIO, (
            f"the words, peak ratio {found.peak_ratio:.1f}, {1000 * delay:.0f} ms late"
        )


def known_test_pictures(seen: Picture) -> dict[str, list[Picture]]:
    """All sixteen, each with the running number that the picture seen has."""
    number = read_number(seen)
    height, width = seen.shape[:2]
    return {
        f"test picture {pattern}": [rgb(Pattern(pattern, width, height).draw(number))]
        for pattern in range(len(COLOURS_RGB))
    }


def rgb(frame: av.VideoFrame) -> Picture:
    picture: Picture = frame.to_ndarray(format="rgb24")
    return picture


def wait_for_silence(listen: Callable[[float], Sound], seconds: float) -> Outcome:
    """Whether within `seconds` half a second of what is heard is silent."""
    began = time.monotonic()
    while True:
        level = level_dbfs(listen(0.5))
        waited = time.monotonic() - began
        if level <= SILENCE_DBFS or waited > seconds:
            return level <= SILENCE_DBFS, f"{level:.0f} dBFS after {waited:.1f} s"
