"""How long a source's sound has to wait at least to come to the mixer in time, on a machine that is
busy or a network that brings it in bursts.

Pure: how long late things should have waited goes in, nanoseconds come out. What comes too late is not
heard at all, and a delay hardly disturbs, so it grows at once and shrinks slowly.
"""

from __future__ import annotations

LOOKS_A_SECOND = 2
DEAF_LOOKS = 3
"""After it grew: what is late then may have come before that was done."""

STEP_NANOSECONDS = 20_000_000
LONGEST_NANOSECONDS = 600_000_000
"""The longest jitter buffer and a busy machine; a conversation is hard then (ITU-T G.114: 400 ms)."""

TOLERATED = 2
"""Late buffers in a second that may be a chance."""

CALM_SECONDS = 20
"""Without anything late for so long, it is a step shorter; twice as long after each time that this was
too short."""

LONGEST_CALM_SECONDS = 600


class Slack:
    """The least wait of one source."""

    def __init__(self) -> None:
        self.nanoseconds = 0
        self._needed: list[int] = []
        self._looks = 0
        self._deaf_looks = 0
        self._calm_looks = 0
        self._calm_wanted = CALM_SECONDS
        self._shortened = False

    def look(self, needed: list[int]) -> None:
        """Twice a second: how long each buffer should have waited that came too late since the last."""
        self._looks += 1
        self._calm_looks = 0 if needed else self._calm_looks + 1
        if self._deaf_looks:
            self._deaf_looks -= 1
        else:
            self._needed += needed
        if len(self._needed) > TOLERATED:
            self._grow(sorted(self._needed)[-1 - TOLERATED])
        if self._looks % LOOKS_A_SECOND == 0:
            self._needed.clear()
        if self._calm_looks >= self._calm_wanted * LOOKS_A_SECOND:
            self._calm_looks = 0
            self._shortened = self.nanoseconds > 0
            self.nanoseconds = max(self.nanoseconds - STEP_NANOSECONDS, 0)

    def _grow(self, needed: int) -> None:
        if self._shortened:
            self._calm_wanted = min(2 * self._calm_wanted, LONGEST_CALM_SECONDS)
        self._shortened = False
        steps = -(-needed // STEP_NANOSECONDS)
        self.nanoseconds = min(steps * STEP_NANOSECONDS, LONGEST_NANOSECONDS)
        self._needed.clear()
        self._deaf_looks = DEAF_LOOKS
