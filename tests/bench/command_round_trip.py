"""A command's way there and back: from publishing `ping` to its final ack, journalled on disk.

Beside it, on the same broker, a bare paho client that sends every message back, and on the same disk a
bare fsync: a busy disk makes the one dearer, a busy processor the other.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from io import FileIO
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.room import Room

ROUNDS = 200
WARM_UP_ROUNDS = 20
LIMIT_RATIO = 4.0
LIMIT_RATIO_WITH_FSYNC = 3.0
ANSWER_SECONDS = 10.0

ECHO = """
import socket, sys
import paho.mqtt.client as mqtt
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
client.on_socket_open = lambda c, u, s: s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
client.on_connect = lambda c, *_: c.subscribe("echo/request", qos=1)
client.on_subscribe = lambda *_: print("ready", flush=True)
client.on_message = lambda c, u, message: c.publish("echo/answer", message.payload, qos=1)
client.connect("127.0.0.1", int(sys.argv[1]))
client.loop_forever()
"""


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        running_room(Path(folder), broker.port) as room,
        subprocess.Popen(
            [sys.executable, "-c", ECHO, str(broker.port)], stdout=subprocess.PIPE
        ) as echo,
    ):
        assert echo.stdout is not None
        assert echo.stdout.readline() == b"ready\n"
        try:
            agent, bare, fsync = _all_three(broker.port, room)
        finally:
            echo.kill()
    return [
        Row("command, publish to final ack", agent, "ms", LIMIT_RATIO, reference=bare),
        Row(
            "the same, beside echo and fsync",
            agent,
            "ms",
            LIMIT_RATIO_WITH_FSYNC,
            reference=bare + fsync,
        ),
    ]


def _all_three(port: int, room: Room) -> tuple[float, float, float]:
    """Medians in milliseconds; they take turns, so that all see the same machine."""
    waiter = Waiter()

    def prepare(client: mqtt.Client) -> None:
        client.on_message = waiter.take

    agent, bare, fsync = [], [], []
    topic = f"{TOPIC_ROOT}/room/{room.id}"
    with (
        Hub(port, ("echo/answer", f"{topic}/ack/+"), prepare) as hub,
        (room.folder / "fsync").open("wb", buffering=0) as file,
    ):
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            name = f"bench-{number}"
            agent.append(waiter.time(hub.client, f"{topic}/cmd/ping", name))
            bare.append(waiter.time(hub.client, "echo/request", name))
            fsync.append(_time_fsync(file))
    return _milliseconds(agent), _milliseconds(bare), _milliseconds(fsync)


def _time_fsync(file: FileIO) -> float:
    """Seconds for a page at the end of a file to be on the disk."""
    started = time.perf_counter()
    file.write(bytes(4096))
    os.fsync(file.fileno())
    return time.perf_counter() - started


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
