"""When the samples of a microphone were taken, by the count of samples and when they were read.

Pure. Reading may be late by as much as a busy machine likes, but never early: so the earliest of a
second's readings tells the truth, and the count carries it on. Times are nanoseconds.
"""

from __future__ import annotations

PERIOD_NANOSECONDS = 10_000_000
WINDOW_PERIODS = 100
SLACK_NANOSECONDS = 2_000_000
"""A second without a reading that was less late: the card is slow, or samples were lost."""


class SampleClock:
    """Stamps periods of 10 ms in order."""

    def __init__(self) -> None:
        self._next: int | None = None
        self._least_late = 0
        self._periods = 0

    def stamp(self, began: int) -> int:
        """The time at which a period began that seems to have begun then, by when it was read."""
        if self._next is None or began < self._next:
            self._next = began
            self._start_window()
        late = began - self._next
        self._least_late = late if self._periods == 0 else min(self._least_late, late)
        self._periods += 1
        if self._periods == WINDOW_PERIODS:
            if self._least_late > SLACK_NANOSECONDS:
                self._next += self._least_late
            self._start_window()
        stamp, self._next = self._next, self._next + PERIOD_NANOSECONDS
        return stamp

    def _start_window(self) -> None:
        self._periods = 0
