"""How long packets queue on the way: what they take more than the fastest lately.

Pure; whose clocks the delays are by does not matter, as long as they stay the same.
"""

from __future__ import annotations

from collections import deque


class Queue:
    """`remembered`: of how many reports, some tens of seconds, for a mobile network's round trip changes
    for good with the mast.
    """

    def __init__(self, remembered: int) -> None:
        self._delays: deque[float] = deque(maxlen=remembered)
        self.fastest_seconds = 0.0
        """After the first report."""

    def update(self, delay_seconds: float) -> float:
        """At the delay of a report. Seconds beyond the fastest."""
        self._delays.append(delay_seconds)
        self.fastest_seconds = min(self._delays)
        return delay_seconds - self.fastest_seconds

    def forget(self) -> None:
        """The way takes another time from now on."""
        self._delays.clear()
