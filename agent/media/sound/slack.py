"""How long a source's sound has to wait at least to come to the mixer in time, on a machine that is
busy or a network that brings it in bursts.

Pure: how long late things should have waited goes in, nanoseconds come out. What comes too late is not
heard at all, and a delay hardly disturbs, so it grows at once and shrinks slowly.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

STEP_NANOSECONDS = 20_000_000
LONGEST_NANOSECONDS = 600_000_000
"""The longest jitter buffer and a busy machine; a conversation is hard then (ITU-T G.114: 400 ms)."""

TOLERATED = 2
"""Late buffers in a second that may be a chance."""

FILLING_NANOSECONDS = 40_000_000
FILLING_SECONDS = 0.25
"""Late by so much more within so short a time: a queue fills on the way. What a busy machine held up comes
all at once, and is late by less and less."""

FULL_NANOSECONDS = 400_000_000
"""What it will take when that queue is full: 300 ms (RFC 8867, 4) and what the room takes itself, and what
the jitter buffers wait for a packet that the queue dropped (`SHORTEST_PATIENCE_MILLISECONDS`). Each
smaller step would be a gap of its own."""

CALM_SECONDS = 20.0
"""Without anything late for so long, it is a step shorter; twice as long after each time that this was
too short."""

LONGEST_CALM_SECONDS = 600.0
SHRINKING_SECONDS = 5.0
"""Between more such steps, as long as the calm lasts: each leaves out so much sound."""


class Late(NamedTuple):
    """A buffer that came too late, and how long it should have waited."""

    at_seconds: float
    needed: int


class Slack:
    """The least wait of one source; times are the monotonic clock's."""

    def __init__(self) -> None:
        self.nanoseconds = 0
        self._late: deque[Late] = deque()
        self._calm_from = 0.0
        self._calm_wanted = CALM_SECONDS
        self._shortened = False

    def expect(self, nanoseconds: int, now_seconds: float) -> None:
        """Begin with what others need, until it is calm for so long."""
        self.nanoseconds = max(self.nanoseconds, nanoseconds)
        self._calm_from = now_seconds

    def late(self, needed: int, now_seconds: float) -> bool:
        """A buffer came too late that should have waited so long. Whether the wait has grown."""
        self._calm_from = now_seconds
        self._late.append(Late(now_seconds, needed))
        while self._late[0].at_seconds < now_seconds - 1:
            self._late.popleft()
        if len(self._late) <= TOLERATED:
            return False
        return self._grow(sorted(late.needed for late in self._late)[-1 - TOLERATED])

    def tick(self, now_seconds: float) -> None:
        """Some times a second, for the calm."""
        if self.nanoseconds and now_seconds - self._calm_from >= self._calm_wanted:
            self._calm_from += SHRINKING_SECONDS
            self._shortened = True
            self.nanoseconds -= STEP_NANOSECONDS

    def _grow(self, needed: int) -> bool:
        if self._filling():
            needed = max(needed, FULL_NANOSECONDS)
        steps = -(-needed // STEP_NANOSECONDS)
        wanted = min(steps * STEP_NANOSECONDS, LONGEST_NANOSECONDS)
        if wanted <= self.nanoseconds:
            return False
        if self._shortened:
            self._calm_wanted = min(2 * self._calm_wanted, LONGEST_CALM_SECONDS)
        self._shortened = False
        self.nanoseconds = wanted
        return True

    def _filling(self) -> bool:
        newest, from_seconds = self._late[-1], self._late[-1].at_seconds - FILLING_SECONDS
        needed = [late.needed for late in self._late if late.at_seconds >= from_seconds]
        return len(needed) > TOLERATED and newest.needed - min(needed) >= FILLING_NANOSECONDS
