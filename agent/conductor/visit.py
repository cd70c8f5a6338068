"""A short visit to the broker, for a command of the terminal: what is retained, and messages that must arrive."""

from __future__ import annotations

import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from typing import Self

from msgspec import structs

from agent.errors import HubError
from agent.hub.connection import MqttConnection, Refused
from agent.hub.limits import Attempt
from agent.hub.messages import Incoming, Published
from agent.settings import Hub

QUIET_SECONDS = 0.5
"""After the last retained document for so long, all are here."""

WAIT_SECONDS = 20.0
"""For anything that is waited for: a hub that takes longer does not answer."""

TURN_SECONDS = 0.1
"""At the latest then the thread sees that the visit is over."""


class Visit:
    """A context manager: one connection, in a thread of its own, without a session that outlives it.

    `take` gets each message that comes, in that thread. All methods raise HubError when the hub can't be
    reached or refuses.
    """

    def __init__(
        self, hub: Hub, name: str, filters: Sequence[str], take: Callable[[Incoming], None]
    ) -> None:
        self._filters = list(filters)
        self._take = take
        self._lock = threading.Lock()
        self._outgoing: list[tuple[str, Published]] = []
        self._delivered: set[str] = set()
        self._heard_at: float | None = None
        self._error: HubError | None = None
        self._closing = threading.Event()
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._thread = threading.Thread(target=self._run, daemon=True)
        client = f"{hub.topic_root.replace('/', '.')}.{name}-{secrets.token_hex(4)}"
        once = structs.replace(hub, session_expiry_seconds=0)
        self._connection = MqttConnection(
            once, client, None, self, Attempt(1, clean_start=True), self._wake
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._thread.join(2)

    def wait_retained(self) -> None:
        """Until the retained documents are here."""
        self._wait(
            lambda: self._heard_at is not None and time.monotonic() - self._heard_at > QUIET_SECONDS
        )

    def check(self) -> None:
        """Raises HubError if the connection has ended."""
        if self._error is not None:
            raise self._error

    @property
    def maximum_packet_bytes(self) -> int | None:
        """The largest packet that the broker takes, None before it has answered or for any."""
        return self._connection.limits.maximum_packet_bytes

    def publish(self, key: str, message: Published) -> None:
        """Returns when the broker has it; `key` is another for each message."""
        with self._lock:
            self._outgoing.append((key, message))
        os.eventfd_write(self._wake, 1)
        self._wait(lambda: key in self._delivered)

    def _wait(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + WAIT_SECONDS
        while time.monotonic() < end:
            if self._error is not None:
                raise self._error
            if condition():
                return
            time.sleep(0.02)
        raise HubError("hub-timeout", "the hub did not answer")

    # --- the connection's own thread -------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._connection.open()
            while not self._closing.is_set():
                with self._lock:
                    waiting, self._outgoing = self._outgoing, []
                for key, message in waiting:
                    self._connection.publish(message, key)
                self._connection.turn(TURN_SECONDS)
            self._connection.disconnect()
        except HubError as error:
            self._error = error
        finally:
            self._connection.close()
            os.close(self._wake)

    def on_connected(self) -> None:
        self._connection.watch(self._filters)

    def on_subscribed(self, refused: list[str]) -> None:
        if refused:
            text = f"the hub refuses us {', '.join(refused)}: is this an operator's certificate?"
            raise HubError("subscription-refused", text)
        self._heard_at = time.monotonic()

    def on_message(self, incoming: Incoming) -> None:
        self._take(incoming)
        if incoming.retained:
            self._heard_at = time.monotonic()
        if incoming.delivery is not None:
            self._connection.acknowledge(incoming.delivery)

    def on_delivered(self, key: str) -> None:
        self._delivered.add(key)

    def on_refused(self, refused: Refused) -> None:
        text = f"{refused.text}: is this an operator's certificate?"
        self._error = HubError("publish-refused", text)
