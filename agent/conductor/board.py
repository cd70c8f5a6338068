"""What is shown, for whoever watches: the newest of each room and meeting, handed over between threads."""

from __future__ import annotations

import threading
from collections.abc import Callable

from msgspec import Struct

from agent.conductor.core.model.views import DayView, MeetingView, RoomView


class Change(Struct, frozen=True):
    """What is new: these rooms, all meetings; `trouble` is why it may not be true, empty if it is."""

    rooms: list[RoomView]
    meetings: list[MeetingView]
    trouble: str
    day: list[DayView] | None = None
    """None: as it was."""


class Board:
    """Written by the loop, read by the console; watchers are called in the loop's thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rooms: dict[str, RoomView] = {}
        self._meetings: list[MeetingView] = []
        self._day: list[DayView] = []
        self._trouble = "not connected yet"
        self._watchers: list[Callable[[Change], None]] = []

    def watch(self, watcher: Callable[[Change], None]) -> None:
        """`watcher` must not block."""
        with self._lock:
            self._watchers.append(watcher)

    def show(
        self,
        rooms: list[RoomView],
        meetings: list[MeetingView],
        trouble: str,
        day: list[DayView] | None,
    ) -> None:
        """What is new, as in `Change`: kept for who comes later, and given to each watcher."""
        with self._lock:
            self._day = self._day if day is None else day
            self._rooms.update((one.room, one) for one in rooms)
            self._meetings, self._trouble = meetings, trouble
            watchers = list(self._watchers)
        change = Change(rooms, meetings, trouble, day)
        for watcher in watchers:
            watcher(change)

    def everything(self) -> Change:
        """All that was shown, for a watcher that begins."""
        with self._lock:
            return Change(list(self._rooms.values()), self._meetings, self._trouble, self._day)
