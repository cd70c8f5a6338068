"""The loop's inbox: what happens in the room comes before what the hub asks.

A flood of commands must not make the mute button wait; the link stops reading while `is_busy`.
"""

from __future__ import annotations

import queue
from collections import deque
from typing import Generic, TypeVar

from agent.core.model.commands import Origin
from agent.core.model.events import AgendaReceived, CommandReceived, CommandRefused

T = TypeVar("T")

ENOUGH_COMMANDS = 16
"""Commands of the hub that may wait here; the rest waits at the hub. One packet that the link reads at a time
may hold some more."""


class Inbox(Generic[T]):
    """Two lanes, each in order. `put` never blocks, and may be called by signal handlers."""

    def __init__(self) -> None:
        self._room: deque[T] = deque()
        self._hub: deque[T] = deque()
        self._arrivals: queue.SimpleQueue[None] = queue.SimpleQueue()
        """One for each item in either lane."""

    def put(self, item: T) -> None:
        (self._hub if _is_from_hub(item) else self._room).append(item)
        self._arrivals.put(None)

    def get(self, timeout: float | None = None) -> T:
        """The next item. Raises queue.Empty when the time is over."""
        self._arrivals.get(timeout=timeout)
        return self._room.popleft() if self._room else self._hub.popleft()

    def get_nowait(self) -> T:
        """The next item. Raises queue.Empty."""
        self._arrivals.get_nowait()
        return self._room.popleft() if self._room else self._hub.popleft()

    def is_busy(self) -> bool:
        """Whether enough commands wait."""
        return len(self._hub) >= ENOUGH_COMMANDS


def _is_from_hub(item: object) -> bool:
    match item:
        case CommandReceived(command):
            return command.origin is not Origin.LOCAL
        case CommandRefused() | AgendaReceived():
            return True
    return False
