"""What rooms say, heard by whoever only looks: for `diemcau rooms`, without a conductor."""

from __future__ import annotations

import os
import secrets
import threading
import time
from typing import Self

from msgspec import structs

from agent.conductor.core.model.seen import SeenHealth, SeenState
from agent.conductor.core.model.views import RoomView
from agent.conductor.core.rooms import Rooms
from agent.conductor.settings import HubSettings
from agent.conductor.wire import HubTopics
from agent.errors import HubError
from agent.hub.connection import MqttConnection, Refused
from agent.hub.limits import Attempt
from agent.hub.messages import Incoming

QUIET_SECONDS = 0.5
"""After the last retained document for so long, all are here."""

WAIT_SECONDS = 20.0


class Listening:
    """A context manager; documents come in until it ends."""

    def __init__(self, settings: HubSettings) -> None:
        self._hub = structs.replace(settings.hub, session_expiry_seconds=0)
        self._topics = HubTopics(settings.hub.topic_root, "")
        self._rooms = Rooms()
        self._lock = threading.Lock()
        self._heard_at: float | None = None
        self._error: HubError | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        client = f"{self._topics.client_prefix}.rooms-{secrets.token_hex(4)}"
        self._connection = MqttConnection(
            self._hub, client, None, self, Attempt(1, clean_start=True), self._wake
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(2)

    def wait(self) -> None:
        """Until the retained documents are here. Raises HubError."""
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if self._error is not None:
                raise self._error
            if self._heard_at is not None and time.monotonic() - self._heard_at > QUIET_SECONDS:
                return
            time.sleep(0.02)
        raise HubError("hub-timeout", "the hub did not answer")

    def rooms(self) -> list[RoomView]:
        """Worst first."""
        with self._lock:
            views = [one.view() for one in self._rooms.values()]
        return sorted(views, key=lambda view: (-view.severity, view.name, view.room))

    def _run(self) -> None:
        try:
            self._connection.open()
            while not self._closing.is_set():
                self._connection.turn(0.1)
            self._connection.disconnect()
        except HubError as error:
            self._error = error
        finally:
            self._connection.close()
            os.close(self._wake)

    def on_connected(self) -> None:
        self._connection.watch(self._topics.documents())

    def on_subscribed(self, refused: list[str]) -> None:
        if refused:
            raise HubError("subscription-refused", f"the hub refuses us {', '.join(refused)}")
        self._heard_at = time.monotonic()

    def on_message(self, incoming: Incoming) -> None:
        seen = self._topics.decode(incoming.topic, incoming.payload)
        with self._lock:
            if isinstance(seen, SeenState):
                self._rooms[seen.room].take(seen)
            elif isinstance(seen, SeenHealth):
                self._rooms[seen.room].health = seen
        if incoming.retained:
            self._heard_at = time.monotonic()
        if incoming.delivery is not None:
            self._connection.acknowledge(incoming.delivery)

    def on_delivered(self, key: str) -> None:
        """Nothing is published."""

    def on_refused(self, refused: Refused) -> None:
        """Nothing is published."""
