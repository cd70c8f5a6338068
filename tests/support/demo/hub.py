"""The hub's side of the demo: sends commands over MQTT 5 and keeps what the rooms publish.

Everything that arrives goes to one callback (the timeline) and into a list to wait on.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import paho.mqtt.client as mqtt

from tests.support import broker
from tests.support.waiting import PATIENCE

KINDS = ("state", "health", "event", "ack")
FINAL_STATES = frozenset({"succeeded", "failed", "rejected", "expired", "superseded"})


@dataclass(frozen=True)
class Message:
    """One document from a room; `kind` is state, health, event or ack."""

    at: float
    """time.monotonic() at arrival."""
    room: str
    kind: str
    document: dict[str, Any]


class Hub:
    """Sees all rooms under `root`; a context manager."""

    def __init__(self, port: int, root: str, on_message: Callable[[Message], None]) -> None:
        self._root = root
        self._on_message = on_message
        self._messages: list[Message] = []
        self._changed = threading.Condition()
        self._operator = broker.Hub(port, [f"{root}/room/+/{kind}/#" for kind in KINDS], self._hook)

    def __enter__(self) -> Self:
        self._operator.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._operator.__exit__()

    def command(self, address: str, kind: str, **fields: Any) -> None:
        """Publish a command to `group/NAME` or `room/NAME`."""
        self._operator.send(f"{self._root}/{address}/cmd/{kind}", fields)

    def wait(self, wanted: Callable[[Message], bool], seconds: float, what: str) -> Message:
        """The first message that is wanted, past or future. Raises TimeoutError naming `what`."""
        end = time.monotonic() + PATIENCE * seconds
        with self._changed:
            while True:
                found = next((message for message in self._messages if wanted(message)), None)
                if found:
                    return found
                if not self._changed.wait(max(0.0, end - time.monotonic())):
                    raise TimeoutError(f"not within {seconds:.0f} s: {what}")

    def wait_for_answer(self, room: str, command_id: str, seconds: float) -> Message:
        """The final ack of a command from one room."""
        return self.wait(
            lambda m: (
                m.room == room
                and m.kind == "ack"
                and m.document["id"] == command_id
                and m.document["state"] in FINAL_STATES
            ),
            seconds,
            f"{room}'s final answer to {command_id}",
        )

    def wait_for_state(self, room: str, seconds: float, **fields: Any) -> Message:
        """A state document of the room that has these fields, past or future."""
        return self.wait(
            lambda m: (
                m.room == room
                and m.kind == "state"
                and all(m.document[name] == value for name, value in fields.items())
            ),
            seconds,
            f"{room} in {fields}",
        )

    def _hook(self, client: mqtt.Client) -> None:
        client.on_message = self._take

    def _take(self, client: mqtt.Client, userdata: Any, received: mqtt.MQTTMessage) -> None:
        room, kind = received.topic.removeprefix(f"{self._root}/room/").split("/")[:2]
        message = Message(time.monotonic(), room, kind, json.loads(received.payload))
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()
        self._on_message(message)
