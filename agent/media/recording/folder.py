"""The folder of recordings: how files are named, how much room is left, and what has to go.

Only files named as ours are ever deleted.
"""

from __future__ import annotations

import contextlib
import math
import os
import re
import shutil
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from agent.errors import MediaError
from agent.settings import Recording

MEGABYTE = 1_000_000
DAY_SECONDS = 86_400
UNDATED = "clock-not-set"
"""In the names of recordings that were begun when the machine did not know the time."""

OURS = re.compile(r"^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d_[a-z0-9-]+_[A-Za-z0-9._-]+\.mp4$")


class RecordingFolder:
    """`settings.media.recording` at work. While the clock isn't set nothing is too old by it, and what is
    recorded then never is: its time is anybody's guess."""

    def __init__(self, settings: Recording, *, clock_is_set: bool = True) -> None:
        self._settings = settings
        self._clock_is_set = clock_is_set
        self.path = Path(settings.directory or "")

    def new_file(self, room: str, meeting: str, at: datetime) -> Path:
        """`2026-11-22T07-15-00_<room>_<meeting>.mp4`, local time; later ones of a second count on."""
        stem = f"{at:%Y-%m-%dT%H-%M-%S}_{room}_{meeting}"
        stem += "" if self._clock_is_set else f"_{UNDATED}"
        names = [stem, *(f"{stem}_{number}" for number in range(2, 100))]
        files = (self.path / f"{name}.mp4" for name in names)
        return next(file for file in files if not os.path.lexists(file))  # nor where a link leads

    def check(self) -> None:
        """Raises MediaError when nothing may be written.

        Its code is `recording-not-set-up`, `disk-full` or `recording-failed`.
        """
        if self._settings.directory is None:
            text = "The room's settings name no folder for recordings (media.recording.directory)"
            raise MediaError("recording-not-set-up", text)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.path).free // MEGABYTE
        except OSError as error:
            text = f"media.recording.directory: {error}"
            raise MediaError("recording-failed", text) from error
        least = self._settings.minimum_free_megabytes
        if free < least:
            text = f"{self.path} has {free} MB left, fewer than {least}: delete something there"
            raise MediaError("disk-full", text)

    def prune(self, keep: Path | None = None) -> list[Path]:
        """Delete what is too old or too much, oldest first, but never `keep`. Returns what went.

        Those without a date count as young.
        """
        gone = []
        files = [(file, stat) for file, stat in self._files() if file != keep]
        total = sum(stat[1] for _, stat in files)
        now = time.time()
        oldest = now - self._settings.keep_days * DAY_SECONDS if self._clock_is_set else -math.inf
        by_age = sorted(
            (now if UNDATED in file.name else at, file, size) for file, (at, size) in files
        )
        for modified, file, size in by_age:
            if modified >= oldest and total <= self._settings.keep_megabytes * MEGABYTE:
                continue
            with contextlib.suppress(OSError):
                file.unlink()
                total -= size
                gone.append(file)
        return gone

    def _files(self) -> Iterator[tuple[Path, tuple[float, int]]]:
        for file in self.path.iterdir():
            if OURS.match(file.name) and file.is_file():
                facts = file.stat()
                yield file, (facts.st_mtime, facts.st_size)
