"""Who is seen and heard in a room of several, measured: from its display's picture and its loudspeaker's sound.

Each room sends a colour and a tone of its own; `Assembly` knows them and names the rooms that it finds again.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from agent.devices.camera.pattern import COLOURS_RGB
from tests.support.demo import listening, looking
from tests.support.pictures import Picture
from tests.support.room import Room
from tests.support.sounds import RATE_HZ, Sound

COLOURS = (0, 1, 2, 3, 4, 5)
TONES_HZ = (440, 620, 830, 1110, 1490, 1990)
"""No one is another's harmonic."""

COLOUR_TOLERANCE = 40
LEAST_SHARE_OF_PICTURE = 0.04
LEAST_AMPLITUDE = 500.0
"""Of 32,768: a room's tone has 9,000 where it is sent, an echo or a click far less than this."""

PIECE_SECONDS = 0.02


class Found(NamedTuple):
    """The rooms (ids) that are seen and heard."""

    seen: frozenset[str]
    heard: frozenset[str]

    @classmethod
    def only(cls, rooms: Iterable[str]) -> Found:
        """Exactly these are seen and heard."""
        return cls(frozenset(rooms), frozenset(rooms))


class Assembly:
    """`enlist` rooms before they start."""

    def __init__(self) -> None:
        self._colours: dict[str, tuple[int, int, int]] = {}
        self._tones: dict[str, int] = {}

    def enlist(self, room: Room) -> None:
        """Give it a colour and a tone."""
        number = len(self._tones)
        room.devices["camera"] |= {"pattern": COLOURS[number], "width": 320, "height": 180}
        room.devices["microphone"]["tone_hz"] = TONES_HZ[number]
        self._colours[room.id] = COLOURS_RGB[COLOURS[number]]
        self._tones[room.id] = TONES_HZ[number]

    def found(self, room: Room, seconds: float = 0.5) -> Found:
        """In the room now: in its picture, and in the last `seconds` of its loudspeaker."""
        try:
            picture = next(looking.read_pictures(room.snapshot(room.folder / "seen.png")))
        except ValueError:  # none has come yet
            return Found(frozenset(), self.heard(lately(room, seconds)))
        return Found(self.seen(picture), self.heard(lately(room, seconds)))

    def seen(self, picture: Picture) -> frozenset[str]:
        distances = {
            one: np.abs(picture.astype(np.int16) - np.array(colour)).max(axis=2)
            for one, colour in self._colours.items()
        }
        return frozenset(
            one
            for one, distance in distances.items()
            if float((distance <= COLOUR_TOLERANCE).mean()) >= LEAST_SHARE_OF_PICTURE
        )

    def heard(self, sound: Sound) -> frozenset[str]:
        return frozenset(
            one for one, tone in self._tones.items() if amplitude(sound, tone) >= LEAST_AMPLITUDE
        )

    def gap_seconds(self, sound: Sound, rooms: Iterable[str]) -> float:
        """The longest time without any of these rooms' tones."""
        longest = run = 0
        for heard in self._pieces(sound, rooms):
            run = 0 if heard else run + 1
            longest = max(longest, run)
        return longest * PIECE_SECONDS

    def crossing_seconds(self, sound: Sound, old: str, new: str) -> float:
        """From the end of the one room's tone to the beginning of the other's; less than 0 if both are heard for so long.
        Both must be in it.
        """
        pieces = self._pieces(sound, {old, new})
        last_old = max(at for at, heard in enumerate(pieces) if old in heard)
        first_new = min(at for at, heard in enumerate(pieces) if new in heard)
        return (first_new - last_old - 1) * PIECE_SECONDS

    def _pieces(self, sound: Sound, rooms: Iterable[str]) -> list[set[str]]:
        """Which of these rooms are heard, piece by piece."""
        size = int(PIECE_SECONDS * RATE_HZ)
        return [
            {
                one
                for one in rooms
                if amplitude(sound[at : at + size], self._tones[one]) >= LEAST_AMPLITUDE
            }
            for at in range(0, len(sound) - size + 1, size)
        ]


def lately(room: Room, seconds: float) -> Sound:
    """The end of what its loudspeaker has played."""
    return listening.read_growing_wav(room.speaker_recording)[-int(seconds * RATE_HZ) :]


def amplitude(sound: Sound, frequency_hz: float) -> float:
    """Of this frequency, as a sine's peak; the window keeps other tones out of it."""
    if not len(sound):
        return 0.0
    window = np.hanning(len(sound))
    carrier = np.exp(-2j * np.pi * frequency_hz * np.arange(len(sound)) / RATE_HZ)
    return float(np.abs(np.dot(sound * window, carrier)) * 2 / window.sum())
