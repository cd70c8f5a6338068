"""Real time in periods of 10 ms for the simulated sound devices, without drift."""

from __future__ import annotations

import time

from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ

PERIOD_SECONDS = PERIOD_FRAMES / SAMPLE_RATE_HZ


class Pacer:
    """Counts periods since it was made on the monotonic clock; `taken` is how many are used up."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self.taken = 0

    def now(self) -> float:
        """Periods that real time has gone through since the start."""
        return (time.monotonic() - self._start) / PERIOD_SECONDS

    def behind(self) -> float:
        """How many periods real time is ahead of the ones taken."""
        return self.now() - self.taken

    def take(self) -> None:
        """Wait until the next period is complete, then count it as taken."""
        time.sleep(max(0.0, (1 - self.behind()) * PERIOD_SECONDS))
        self.taken += 1

    def skip_to_now(self) -> None:
        """Give up the periods that were not taken in time."""
        self.taken = int(self.now())
