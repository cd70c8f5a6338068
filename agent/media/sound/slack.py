"""How much longer sound waits before the mixer when this machine is too busy to bring it in time.

Pure: a count of what came too late goes in once a second, nanoseconds come out. What comes too late
is not heard at all, and a delay hardly disturbs, so it grows at once and shrinks slowly.
"""

from __future__ import annotations

STEP_NANOSECONDS = 20_000_000
LONGEST_NANOSECONDS = 320_000_000
"""With it all, speech is late by what people still bear in a conversation (ITU-T G.114: 400 ms)."""

TOLERATED = 2
"""Late buffers in a second that may be a chance, or a source that has just begun."""

CALM_SECONDS = 20
"""Without anything late for so long, it is a step shorter; twice as long after each time that it had
to grow again."""

LONGEST_CALM_SECONDS = 600


class Slack:
    """The wait of one mixer, all its sources together."""

    def __init__(self) -> None:
        self.nanoseconds = 0
        self._late = 0
        self._calm_seconds = 0
        self._calm_wanted = CALM_SECONDS

    def second(self, late: int) -> None:
        """Once a second: how many buffers have come too late so far."""
        before, self._late = self._late, late
        if late - before > TOLERATED:
            self._grow(again=self._calm_seconds > 0)
        if late > before:
            self._calm_seconds = 0
            return
        self._calm_seconds += 1
        if self._calm_seconds >= self._calm_wanted:
            self._calm_seconds = 0
            self.nanoseconds = max(self.nanoseconds - STEP_NANOSECONDS, 0)

    def _grow(self, again: bool) -> None:
        """Twice as long while that is not enough; a step if it was enough before."""
        if again and self.nanoseconds:
            self._calm_wanted = min(2 * self._calm_wanted, LONGEST_CALM_SECONDS)
        wanted = STEP_NANOSECONDS + self.nanoseconds * (1 if again else 2)
        self.nanoseconds = min(wanted, LONGEST_NANOSECONDS)
