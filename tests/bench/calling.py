"""An urgent call to 212 real daemons at one broker: how soon has every room accepted it?

The media process is the tests' stand-in; what is measured is the broker, the link, and the journal with its disk.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.fleet import Fleet
from tests.support.room import Room
from tests.support.waiting import wait_for

LONG = True
COUNT = int(os.environ.get("DIEMCAU_BENCH_ROOMS", "212"))
"""Rooms; fewer where a machine can't take them."""

ROUNDS = 3
LIMIT_SECONDS = 1.0
PATIENCE_SECONDS = 300
TOPIC_ROOT = "diemcau-bench/v1"


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-calling-") as folder,
        Broker(Path(folder) / "broker") as broker,
    ):
        rooms = [_room(Path(folder), number, broker.port) for number in range(COUNT)]
        with Fleet(rooms), Hub(broker.port, [f"{TOPIC_ROOT}/room/+/ack/+"]) as hub:
            for room in rooms:
                room.wait_online(PATIENCE_SECONDS)
            times = [_call(hub, number) for number in range(ROUNDS)]
    return [Row(f"{COUNT} rooms, call accepted by all, best", min(times), "s", LIMIT_SECONDS)]


def _room(folder: Path, number: int, hub_port: int) -> Room:
    room = Room(f"xa-{number:03}", f"Xã {number}", folder / f"xa-{number:03}")
    room.use_hub(hub_port, TOPIC_ROOT)
    return room


def _call(hub: Hub, number: int) -> float:
    """Seconds until the last room's `accepted`; then the call is ended and all have answered."""
    group = f"{TOPIC_ROOT}/group/all/cmd"
    began = time.monotonic()
    call = {"id": f"c{number}", "meeting": {"id": "bao"}, "then": "nothing", "ring_seconds": 60}
    hub.send(f"{group}/call", call)
    _wait(hub, f"c{number}", "accepted")
    took = time.monotonic() - began
    hub.send(f"{group}/leave", {"id": f"l{number}"})
    _wait(hub, f"c{number}", "failed", "superseded", "succeeded")
    return took


def _wait(hub: Hub, command_id: str, *states: str) -> None:
    """Until every room's ack has been in one of these states."""

    def rooms() -> set[str]:
        return {
            seen.topic
            for seen in list(hub.seen)
            if seen.topic.endswith(f"/ack/{command_id}") and seen.document["state"] in states
        }

    wait_for(lambda: len(rooms()) == COUNT, PATIENCE_SECONDS, f"{COUNT} rooms {states}")
