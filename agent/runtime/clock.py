"""The two clocks of the machine, read in one place and handed to the core as `Now`.

A Pi has no clock of its own: until NTP has set it, it may stand in the past, but never before the
last good time of the run before.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from agent.core.model.clock import Now

RECHECK_SECONDS = 10.0
"""A clock that wasn't synchronised is asked again this often; asking is a file or a system call."""

KEEP_SECONDS = 3600.0
"""The last good time is kept on disk this often: one write an hour."""


class Synchronisation:
    """Whether NTP has set the clock: asked now and then until it has said yes once. For the loop's thread."""

    def __init__(self, ask: Callable[[], bool]) -> None:
        self._ask = ask
        self._yes = False
        self._asked = float("-inf")

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self._yes and now - self._asked >= RECHECK_SECONDS:
            self._asked = now
            self._yes = self._ask()
        return self._yes


class SystemClock:
    """`is_synchronised` is asked with each look; while it is so, `keep` gets the time.

    `last_good` is what an earlier run kept: without synchronisation, time goes on from there at least.
    """

    def __init__(
        self,
        is_synchronised: Callable[[], bool],
        last_good: datetime | None = None,
        keep: Callable[[datetime], None] = lambda _now: None,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._wall = wall
        self._is_synchronised = is_synchronised
        self._kept = float("-inf")
        self._keep = keep
        self._last_good = last_good
        self._started = time.monotonic()

    def now(self) -> Now:
        """From the loop's thread only."""
        monotonic, wall = time.monotonic(), self._wall()
        if not self._is_synchronised():
            least = self._not_before(monotonic)
            return Now(monotonic, max(wall, least or wall), synchronised=False, not_before=least)
        if monotonic - self._kept >= KEEP_SECONDS:
            self._kept = monotonic
            self._keep(wall)
        return Now(monotonic, wall)

    def close(self) -> None:
        """Keep the time once more if it is good."""
        if self._is_synchronised():
            self._keep(self._wall())

    def _not_before(self, monotonic: float) -> datetime | None:
        if self._last_good is None:
            return None
        return self._last_good + timedelta(seconds=monotonic - self._started)
