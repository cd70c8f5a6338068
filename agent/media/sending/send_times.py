"""When a stream's packets were sent, so that a report says how old the newest one that arrived was.

Pure. RTCP's own round trip (RFC 3550, 6.4.1) is of the last sender report, a second ago or two, and a
full link's queue overflows meanwhile.
"""

from __future__ import annotations

from collections import deque
from itertools import pairwise

REMEMBERED = 64
"""Looks, four a second: longer than any queue that is still worth knowing."""


class SendTimes:
    """Of one stream, by its 16-bit sequence numbers; times in seconds of one clock."""

    def __init__(self) -> None:
        self._looks: deque[tuple[int, float]] = deque(maxlen=REMEMBERED)

    def update(self, newest: int, now_seconds: float) -> None:
        """The packet sent last."""
        self._looks.append((newest, now_seconds))

    def age(self, number: int, now_seconds: float) -> float | None:
        """Of this packet, as if packets left evenly between two looks; None if it is not remembered."""
        if self._looks and number == self._looks[-1][0]:
            return now_seconds - self._looks[-1][1]
        for (first, first_at), (last, last_at) in pairwise(self._looks):
            span, offset = (last - first) & 0xFFFF, (number - first) & 0xFFFF
            if span and offset <= span:
                return now_seconds - (first_at + (last_at - first_at) * offset / span)
        return None
