"""The hub's side of the demo: sends commands over MQTT 5 and keeps what the rooms publish.

Everything that arrives goes to one callback (the timeline) and into a list to wait on.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

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
    """An MQTT client that sees all rooms under `root`."""

    def __init__(
        self, host: str, port: int, root: str, on_message: Callable[[Message], None]
    ) -> None:
        self._root = root
        self._on_message = on_message
        self._messages: list[Message] = []
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        self._client.on_connect = lambda client, *_: client.subscribe(f"{root}/room/#", qos=1)
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.on_message = self._take
        self._client.connect(host, port)

    def start(self) -> None:
        """Begin to listen; returns when the broker has confirmed the subscription."""
        self._client.loop_start()
        if not self._subscribed.wait(10):
            raise TimeoutError("the broker did not confirm the hub's subscription within 10 s")

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def command(self, address: str, kind: str, **fields: Any) -> float:
        """Publish a command to `group/NAME` or `room/NAME`; returns time.monotonic() before it."""
        sent = time.monotonic()
        payload = json.dumps(fields).encode()
        self._client.publish(f"{self._root}/{address}/cmd/{kind}", payload, qos=1)
        return sent

    def wait(self, wanted: Callable[[Message], bool], seconds: float, what: str) -> Message:
        """The first message that is wanted, past or future. Raises TimeoutError naming `what`."""
        end = time.monotonic() + seconds
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

    def wait_for_state(self, room: str, since: float, seconds: float, **fields: Any) -> Message:
        """A state document of the room that arrived after `since` and has these fields."""
        return self.wait(
            lambda m: (
                m.room == room
                and m.kind == "state"
                and m.at >= since
                and all(m.document[name] == value for name, value in fields.items())
            ),
            seconds,
            f"{room} in {fields}",
        )

    def _take(self, client: mqtt.Client, userdata: Any, received: mqtt.MQTTMessage) -> None:
        room, kind = received.topic.removeprefix(f"{self._root}/room/").split("/")[:2]
        if kind == "cmd" or not received.payload:
            return
        message = Message(time.monotonic(), room, kind, json.loads(received.payload))
        with self._changed:
            self._messages.append(message)
            self._changed.notify_all()
        self._on_message(message)
