"""How soon the hub hears of the room's button: from the finger to the event, 95 of 100 presses.

The simulated panel's finger does not bounce: the time for which a real contact must be still is added.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt

from agent.devices.panel.button import PRESS_SECONDS
from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub

PRESSES = 50
"""Sixty in an hour are told at once."""

LIMIT_MILLISECONDS = 50.0
TOLD_SECONDS = 10.0


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        running_room(Path(folder), broker.port) as room,
    ):
        told = threading.Event()

        def take(client: mqtt.Client, userdata: Any, message: mqtt.MQTTMessage) -> None:
            told.set()

        def prepare(client: mqtt.Client) -> None:
            client.on_message = take

        topic = f"{TOPIC_ROOT}/room/{room.id}/event/mute-pressed"
        with Hub(broker.port, (topic,), prepare):
            taken = [_press(room.folder / "mute-button", told) for _ in range(PRESSES)]
    p95 = statistics.quantiles(taken, n=20)[-1] * 1000
    settled = p95 + PRESS_SECONDS * 1000
    return [
        Row("press to event at the hub, p95", p95, "ms", None),
        Row("the same, with a contact that settles", settled, "ms", LIMIT_MILLISECONDS),
    ]


def _press(finger: Path, told: threading.Event) -> float:
    """Seconds until the hub heard of it."""
    told.clear()
    began = time.perf_counter()
    _say(finger, "press")
    if not told.wait(TOLD_SECONDS):
        raise TimeoutError(f"the hub heard of no press within {TOLD_SECONDS} s")
    took = time.perf_counter() - began
    _say(finger, "release")
    return took


def _say(finger: Path, word: str) -> None:
    with finger.open("w") as fifo:
        fifo.write(f"{word}\n")
