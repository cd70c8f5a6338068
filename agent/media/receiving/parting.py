"""Sources that are not wanted any more play on until those that take their place are there.

A hub that hands over the floor names other sources: without this everybody would hear nothing between two speakers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.core.model.commands import MAX_SOURCES
from agent.media.loop import Loop, Timer

PARTING_SECONDS = 3.0
"""So long they play on at the most: a new source that does not come is no reason to hear an old one for ever. The
core's `agent.core.meeting.changes` answers by the same figure."""

OVERLAP_SECONDS = 0.3
"""Both are heard for so long: the new one's first sound may be late, or its picture was there before its sound."""


class Parting:
    """`stop` ends a source. No more than MAX_SOURCES play at once. All in the loop's thread."""

    def __init__(self, loop: Loop, stop: Callable[[str], None]) -> None:
        self._loop = loop
        self._stop = stop
        self._leaving: list[str] = []
        self._awaited: set[str] = set()
        self._longest_wait = 0.0
        """Of those that came, until what they bring is heard."""
        self._timer: Timer | None = None

    def replace(self, playing: Iterable[str], wanted: Iterable[str]) -> None:
        """What of `playing` is not in `wanted` ends now, or as soon as what is new in `wanted` is there."""
        playing, wanted = list(playing), list(wanted)
        coming = set(wanted) - set(playing)
        self._awaited = (self._awaited | coming) & set(wanted)
        leaving = [url for url in playing if url not in wanted]
        kept = max(0, MAX_SOURCES - len(wanted)) if self._awaited else 0
        self._leaving = leaving[:kept]
        for url in leaving[kept:]:
            self._stop(url)
        self._longest_wait = 0.0
        self._end_in(PARTING_SECONDS)

    def arrived(self, url: str, wait_seconds: float) -> None:
        """This source is there: it flows, and is heard after so long, or its server has said no."""
        if url not in self._awaited:
            return
        self._awaited.discard(url)
        self._longest_wait = max(self._longest_wait, wait_seconds)
        if not self._awaited and self._leaving:
            self._end_in(self._longest_wait + OVERLAP_SECONDS)

    def _end_in(self, seconds: float) -> None:
        if self._timer:
            self._timer.cancel()
        self._timer = self._loop.later(seconds, self._end)

    def _end(self) -> None:
        leaving, self._leaving = self._leaving, []
        self._awaited.clear()
        for url in leaving:
            self._stop(url)
