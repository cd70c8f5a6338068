"""A command's way there and back: from publishing `ping` to its final ack, journalled on disk.

Beside it, on the same broker, a bare paho client that sends every message back.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub

ROUNDS = 200
WARM_UP_ROUNDS = 20
LIMIT_RATIO = 4.0
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
            agent, bare = _both(broker.port, room.id)
        finally:
            echo.kill()
    return [Row("command, publish to final ack", agent, "ms", LIMIT_RATIO, reference=bare)]


def _both(port: int, room: str) -> tuple[float, float]:
    """Medians in milliseconds; the two take turns, so that both see the same machine."""
    waiter = Waiter()

    def prepare(client: mqtt.Client) -> None:
        client.on_message = waiter.take

    filters = ("echo/answer", f"{TOPIC_ROOT}/room/{room}/ack/+")
    with Hub(port, filters, prepare) as hub:
        agent, bare = [], []
        for number in range(WARM_UP_ROUNDS + ROUNDS):
            name = f"bench-{number}"
            ping = f"{TOPIC_ROOT}/room/{room}/cmd/ping"
            agent.append(waiter.time(name, lambda n=name: hub.client.publish(ping, _ping(n), 1)))
            bare.append(
                waiter.time(name, lambda n=name: hub.client.publish("echo/request", _ping(n), 1))
            )
    return tuple(1000 * statistics.median(times[WARM_UP_ROUNDS:]) for times in (agent, bare))


def _ping(name: str) -> bytes:
    return json.dumps({"id": name}).encode()


class Waiter:
    """Times from an action to the final answer with an id."""

    def __init__(self) -> None:
        self._wanted = ""
        self._came = threading.Event()

    def take(self, client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
        document = json.loads(message.payload)
        if document["id"] == self._wanted and document.get("state", "succeeded") == "succeeded":
            self._came.set()

    def time(self, name: str, act: Callable[[], object]) -> float:
        self._wanted = name
        self._came.clear()
        started = time.perf_counter()
        act()
        if not self._came.wait(ANSWER_SECONDS):
            raise TimeoutError(f"no answer to {name} within {ANSWER_SECONDS} s")
        return time.perf_counter() - started
