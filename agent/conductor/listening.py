"""What rooms say, heard by whoever only looks: for `diemcau rooms`, without a conductor."""

from __future__ import annotations

import threading
from typing import Self

from agent.conductor.core.model.seen import SeenHealth, SeenState
from agent.conductor.core.model.views import RoomView
from agent.conductor.core.rooms import Rooms
from agent.conductor.settings import HubSettings
from agent.conductor.visit import Visit
from agent.conductor.wire import HubTopics
from agent.hub.messages import Incoming


class Listening:
    """A context manager; documents come in until it ends."""

    def __init__(self, settings: HubSettings) -> None:
        self._topics = HubTopics(settings.hub.topic_root, "")
        self._rooms = Rooms()
        self._lock = threading.Lock()
        self._visit = Visit(settings.hub, "rooms", self._topics.documents(), self._take)

    def __enter__(self) -> Self:
        self._visit.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._visit.__exit__()

    def wait(self) -> None:
        """Until the retained documents are here. Raises HubError."""
        self._visit.wait_retained()

    def check(self) -> None:
        """Raises HubError when nothing more can be heard."""
        self._visit.check()

    def rooms(self) -> list[RoomView]:
        """Worst first."""
        with self._lock:
            return self._rooms.views()

    def _take(self, incoming: Incoming) -> None:
        seen = self._topics.decode(incoming.topic, incoming.payload)
        with self._lock:
            if isinstance(seen, SeenState):
                self._rooms[seen.room].take(seen)
            elif isinstance(seen, SeenHealth):
                self._rooms[seen.room].health = seen
