"""What the conductor is to look at later, in order of time."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from typing import NamedTuple


class RoomDue(NamedTuple):
    """A room of a meeting (its number): a call is to be repeated, new tokens are due, or its time to speak is over."""

    number: int
    room: str


class EndDue(NamedTuple):
    """The meeting's end is past by so long that its rooms have left by themselves."""

    number: int


Due = RoomDue | EndDue


class Dues:
    """All times are monotonic seconds. One that is no longer needed comes all the same: whoever takes it looks anew."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, Due]] = []

    def add(self, at_seconds: float, due: Due) -> None:
        heapq.heappush(self._heap, (at_seconds, due))

    def next_seconds(self) -> float | None:
        """When the first one is due; None if there is none."""
        return self._heap[0][0] if self._heap else None

    def take(self, now_seconds: float) -> Iterator[Due]:
        """Those whose time has come, also what is added meanwhile."""
        while self._heap and self._heap[0][0] <= now_seconds:
            yield heapq.heappop(self._heap)[1]
