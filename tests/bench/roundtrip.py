"""A command's way there and back: from publishing `ping` to its final ack, journalled on disk.

Beside it, at the same broker, a paho client of a few lines that sends every message back. The one that the
promise is about keeps each message in a file on the same disk before it answers, as the room must before it
acknowledges a command; the other one keeps nothing, which no room may do, and is told for comparison.
"""

from __future__ import annotations

import contextlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.room import Room

ROUNDS = 200
WARM_UP_ROUNDS = 20
LIMIT_RATIO = 3.0
ANSWER_SECONDS = 10.0

ECHO = """
import os, socket, sys
import paho.mqtt.client as mqtt
name = "kept" if sys.argv[2:] else "bare"
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
client.on_socket_open = lambda c, u, s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.on_connect = lambda c, *_: c.subscribe(name + "/request", qos=1)
client.on_subscribe = lambda *_: print("ready", flush=True)
file = open(sys.argv[2], "ab", buffering=0) if sys.argv[2:] else None
def answer(client, userdata, message):
    if file:
        file.write(message.payload.ljust(4096))
        os.fsync(file.fileno())
    client.publish(name + "/answer", message.payload, qos=1)
client.on_message = answer
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
"""


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        running_room(Path(folder), broker.port) as room,
        _echo(broker.port),
        _echo(broker.port, str(room.folder / "kept")),
    ):
        agent, kept, bare = _all_three(broker.port, room)
    what = "command, publish to final ack"
    return [
        Row(what, agent, "ms", LIMIT_RATIO, reference=kept),
        Row("... beside an echo that keeps nothing", agent, "ms", None, reference=bare),
    ]


@contextlib.contextmanager
def _echo(port: int, *kept: str) -> Iterator[None]:
    """The client that sends back, once it is ready."""
    command = [sys.executable, "-c", ECHO, str(port), *kept]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as echo:
        assert echo.stdout is not None
        assert echo.stdout.readline() == b"ready\n"
        try:
            yield
        finally:
            echo.kill()


def _all_three(port: int, room: Room) -> tuple[float, float, float]:
    """Medians in milliseconds; they take turns, so that all see the same machine."""
    waiter = Waiter()

    def prepare(client: mqtt.Client) -> None:
        client.on_message = waiter.take

    topic = f"{TOPIC_ROOT}/room/{room.id}"
    asked = (f"{topic}/cmd/ping", "kept/request", "bare/request")
    taken: list[list[float]] = [[] for _ in asked]
    with Hub(port, ("kept/answer", "bare/answer", f"{topic}/ack/+"), prepare) as hub:
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            for times, one in zip(taken, asked, strict=True):
                times.append(waiter.time(hub.client, one, f"bench-{number}"))
    agent, kept, bare = map(_milliseconds, taken)
    return agent, kept, bare


def _milliseconds(seconds: list[float]) -> float:
    return 1000 * statistics.median(seconds[WARM_UP_ROUNDS:])


class Waiter:
    """Times from a message to the final answer with its id."""

    def __init__(self) -> None:
        self._wanted = ""
        self._came = threading.Event()

    def take(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        document = json.loads(message.payload)
        if document["id"] == self._wanted and document.get("state", "succeeded") == "succeeded":
            self._came.set()

    def time(self, client: mqtt.Client, topic: str, name: str) -> float:
        """Seconds. Raises TimeoutError when no answer comes."""
        self._wanted = name
        self._came.clear()
        started = time.perf_counter()
        client.publish(topic, json.dumps({"id": name}), qos=1)
        if not self._came.wait(ANSWER_SECONDS):
            raise TimeoutError(f"no answer to {name} on {topic} within {ANSWER_SECONDS} s")
        return time.perf_counter() - started
