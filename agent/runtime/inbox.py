"""The loop's inbox: what happens in the room comes before what somebody asks on the box, and that before what the hub asks.

A flood of commands, or of questions on the control socket, must not make the mute button wait; the link stops reading
while `is_busy`.
"""

from __future__ import annotations

import queue
from collections import deque
from typing import Generic, TypeVar

from agent.core.model.commands import Origin
from agent.core.model.events import (
    AgendaReceived,
    CommandReceived,
    CommandRefused,
    DevicesReturned,
)
from agent.runtime.control import QueryReceived

T = TypeVar("T")

ENOUGH_COMMANDS = 16
"""Commands of the hub that may wait here; the rest waits at the hub. One packet that the link reads at a time
may hold some more."""


class Inbox(Generic[T]):
    """Three lanes, each in order. `put` never blocks, and may be called by signal handlers."""

    def __init__(self) -> None:
        self._room: deque[T] = deque()
        self._local: deque[T] = deque()
        self._hub: deque[T] = deque()
        self._arrivals: queue.SimpleQueue[None] = queue.SimpleQueue()
        """One for each item in any lane."""

    def put(self, item: T) -> None:
        self._lane(item).append(item)
        self._arrivals.put(None)

    def get(self, timeout: float | None = None) -> T:
        """The next item. Raises queue.Empty when the time is over."""
        self._arrivals.get(timeout=timeout)
        return self._next()

    def get_nowait(self) -> T:
        """The next item. Raises queue.Empty."""
        self._arrivals.get_nowait()
        return self._next()

    def has_room_event(self) -> bool:
        """Whether what comes next has happened in the room, and is not somebody's question or command."""
        return bool(self._room)

    def is_busy(self) -> bool:
        """Whether enough commands wait."""
        return len(self._hub) >= ENOUGH_COMMANDS

    def _next(self) -> T:
        return (self._room or self._local or self._hub).popleft()

    def _lane(self, item: T) -> deque[T]:
        match item:
            case CommandReceived(command) if command.origin is Origin.LOCAL:
                return self._local
            case CommandReceived() | CommandRefused() | AgendaReceived():
                return self._hub
            case QueryReceived() | DevicesReturned():  # one client's, which stay in order
                return self._local
        return self._room
