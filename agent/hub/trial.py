"""A trial of the hub for diagnosis: may this room log in, may it listen, and how fast is it?

No will, and commands are not taken. A hub that knows the room by its certificate or user name may
know it by that as a client too: then the trial is the room, and must not run beside the daemon.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable

from msgspec import Struct
from msgspec.structs import replace

from agent.errors import HubError
from agent.hub.connection import MqttConnection, Refused
from agent.hub.limits import Attempt
from agent.hub.messages import Incoming
from agent.hub.topics import Topics
from agent.settings import Hub, Room

ANSWER_SECONDS = 5.0
"""What one step (login, subscription, one round trip) may take."""


class TrialResult(Struct, frozen=True):
    """It went well. `refused`: topics that the hub does not let us subscribe to."""

    login_milliseconds: float
    round_trips_milliseconds: list[float]
    refused: list[str]


def is_exclusive(hub: Hub) -> bool:
    """Whether a second login would throw the daemon out (mosquitto's use_username_as_clientid)."""
    return bool(hub.username or (hub.tls and hub.tls.certificate))


def try_hub(hub: Hub, room: Room, round_trips: int) -> TrialResult:
    """Log in, subscribe, and send messages to ourselves through the broker. Raises HubError.

    An exclusive one goes on with the room's own session, and leaves it and its commands as they are.
    """
    trial = _Trial(hub if is_exclusive(hub) else replace(hub, session_expiry_seconds=0), room)
    try:
        return trial.run(round_trips)
    finally:
        trial.close()


class _Trial:
    """One connection; also its own listener."""

    def __init__(self, hub: Hub, room: Room) -> None:
        self._topics = Topics(hub.topic_root, room)
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        client_id = self._topics.client_id
        if not is_exclusive(hub):
            client_id += f".trial-{secrets.token_hex(4)}"
        self._connection = MqttConnection(hub, client_id, None, self, Attempt(number=1), self._wake)
        self._connected = False
        self._refused: list[str] | None = None
        self._expected = b""
        self._returned = False

    def run(self, round_trips: int) -> TrialResult:
        began = time.monotonic()
        self._connection.open()
        self._await(lambda: self._connected, "the hub took the connection and then said nothing")
        login = (time.monotonic() - began) * 1000
        filters = self._topics.commands(wildcards=self._connection.limits.wildcards)
        self._connection.subscribe(filters, [], [self._topics.echo])
        self._await(lambda: self._refused is not None, "the hub did not answer our subscription")
        assert self._refused is not None
        trips = [] if self._topics.echo in self._refused else self._measure(round_trips)
        return TrialResult(login, trips, self._refused)

    def _measure(self, count: int) -> list[float]:
        return [self._round_trip() for _ in range(count)]

    def _round_trip(self) -> float:
        self._expected, self._returned = secrets.token_hex(8).encode(), False
        began = time.monotonic()
        self._connection.send(self._topics.echo, self._expected)
        text = f"what we publish on {self._topics.echo} does not come back: check the hub's ACL"
        self._await(lambda: self._returned, text, "no-echo")
        return (time.monotonic() - began) * 1000

    def _await(self, done: Callable[[], bool], text: str, code: str = "hub-timeout") -> None:
        deadline = time.monotonic() + ANSWER_SECONDS
        while not done():
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                raise HubError(code, text)
            self._connection.turn(remaining)

    def close(self) -> None:
        self._connection.disconnect()
        self._connection.close()
        os.close(self._wake)

    # --- agent.hub.connection.Listener --------------------------------------------------------

    def on_connected(self) -> None:
        self._connected = True

    def on_subscribed(self, refused: list[str]) -> None:
        self._refused = refused

    def on_message(self, incoming: Incoming) -> None:
        self._returned = self._returned or incoming.payload == self._expected

    def on_delivered(self, key: str) -> None:
        """Nothing of ours is sent at QoS 1."""

    def on_refused(self, refused: Refused) -> None:
        """The same."""
