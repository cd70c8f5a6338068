"""One file of a recording with its own zero of time, and the pieces that go into it."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from agent.media.recording.movie import Movie
from agent.media.recording.sound_mix import SoundMix

SPS = 7
"""The NAL unit that says how large the picture is (ITU-T H.264, table 7-1)."""

OWN = "own"
"""The key of what the room itself sends; the others are the sources' URLs."""

START_CODE = b"\x00\x00\x01"


class Picture(NamedTuple):
    """An access unit (H.264 Annex B) of the track with this key."""

    key: str
    at_nanoseconds: int
    data: bytes
    keyframe: bool


class Sound(NamedTuple):
    """Mono S16LE at 48 kHz of the source with this key."""

    key: str
    at_nanoseconds: int
    data: bytes


class Part:
    """A movie and the mix of its sound, both beginning at `origin` on the shared clock."""

    def __init__(self, path: Path, keyframes: dict[str, bytes], origin: int) -> None:
        self.path = path
        self._origin = origin
        self._formats = {key: format_of(keyframe) for key, keyframe in keyframes.items()}
        self._mix = SoundMix(origin)
        self._movie = Movie(path, keyframes)

    def fits(self, picture: Picture) -> bool:
        """Whether there is a track for this keyframe, and of its format."""
        return self._formats.get(picture.key) == format_of(picture.data)

    def take(self, item: Picture | Sound) -> None:
        """What came before the origin is left out."""
        if isinstance(item, Sound):
            self._mix.add(item.key, item.at_nanoseconds, item.data)
        elif item.at_nanoseconds >= self._origin and item.key in self._formats:
            at = item.at_nanoseconds - self._origin
            self._movie.add_picture(item.key, item.data, at, keyframe=item.keyframe)

    def write_sound(self, until_nanoseconds: int) -> None:
        """All sound up to this time has come; later it is left out."""
        if pcm := self._mix.take(until_nanoseconds):
            self._movie.add_sound(pcm)

    def close(self) -> None:
        self._movie.close()


def format_of(keyframe: bytes) -> bytes:
    """The sequence parameter set: the same for all pictures that fit into one track."""
    units = keyframe.split(START_CODE)
    return next((unit.rstrip(b"\0") for unit in units if unit and unit[0] & 0x1F == SPS), b"")
