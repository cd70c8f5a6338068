"""A recording that a power cut broke off, as a player has it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import av

NAME = re.compile(
    r"(?P<began>\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d)_[a-z0-9-]+_(?P<meeting>.+?)(_\d+)?\.mp4"
)
"""As RecordingFolder names it; the machine's time zone is UTC."""


class Film(NamedTuple):
    """What there is to hear of one file."""

    meeting: str
    seconds: float
    ends: float
    """Seconds since the epoch, by the machine's clock; up to two too late, since a file's name is the time at which its first
    pictures had been waited for."""


def films(folder: Path) -> list[Film]:
    """All that are there. Raises AssertionError naming a file that is no recording."""
    found = []
    for path in folder.glob("*.mp4"):
        named = NAME.fullmatch(path.name)
        assert named, path
        began = datetime.strptime(named["began"], "%Y-%m-%dT%H-%M-%S").replace(tzinfo=UTC)
        seconds = played(path)
        found.append(Film(named["meeting"], seconds, began.timestamp() + seconds))
    return found


def played(path: Path) -> float:
    """Seconds of sound until its end, or until the player stumbles; 0 for a file that is not one yet."""
    samples, rate = 0, 1
    try:
        with av.open(str(path)) as film:
            for frame in film.decode(audio=0):
                samples, rate = samples + frame.samples, frame.sample_rate
    except (av.FFmpegError, IndexError):  # IndexError: no track yet
        pass
    return samples / rate
