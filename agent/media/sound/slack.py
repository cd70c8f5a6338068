"""How much longer sound waits before the mixer when it does not come there in time: the machine is too
busy, or the network brings it in bursts.

Pure: how late things were goes in, nanoseconds come out. What comes too late is not heard at all, and
a delay hardly disturbs, so it grows at once, by what was missing, and shrinks slowly.
"""

from __future__ import annotations

LOOKS_A_SECOND = 2
DEAF_LOOKS = 3
"""After it grew: what is late then came before the sources had been told, once a second."""

STEP_NANOSECONDS = 20_000_000
LONGEST_NANOSECONDS = 320_000_000
"""With it all, speech is late by what people still bear in a conversation (ITU-T G.114: 400 ms)."""

TOLERATED = 2
"""Late buffers in a second that may be a chance."""

CALM_SECONDS = 20
"""Without anything late for so long, it is a step shorter; twice as long after each time that this was
too short."""

LONGEST_CALM_SECONDS = 600


class Slack:
    """The wait of one mixer, all its sources together."""

    def __init__(self) -> None:
        self.nanoseconds = 0
        self._late: list[int] = []
        self._looks = 0
        self._deaf_looks = 0
        self._calm_looks = 0
        self._calm_wanted = CALM_SECONDS
        self._shortened = False

    def look(self, late: list[int]) -> None:
        """Twice a second: by how much each buffer was late that came too late since the last."""
        self._looks += 1
        self._calm_looks = 0 if late else self._calm_looks + 1
        if self._deaf_looks:
            self._deaf_looks -= 1
        else:
            self._late += late
        if len(self._late) > TOLERATED:
            self._grow(sorted(self._late)[-1 - TOLERATED])
        if self._looks % LOOKS_A_SECOND == 0:
            self._late.clear()
        if self._calm_looks >= self._calm_wanted * LOOKS_A_SECOND:
            self._calm_looks = 0
            self._shortened = self.nanoseconds > 0
            self.nanoseconds = max(self.nanoseconds - STEP_NANOSECONDS, 0)

    def _grow(self, missing: int) -> None:
        if self._shortened:
            self._calm_wanted = min(2 * self._calm_wanted, LONGEST_CALM_SECONDS)
        self._shortened = False
        steps = -(-missing // STEP_NANOSECONDS)
        self.nanoseconds = min(self.nanoseconds + steps * STEP_NANOSECONDS, LONGEST_NANOSECONDS)
        self._late.clear()
        self._deaf_looks = DEAF_LOOKS
