"""Two agents with one name, as a copied memory card makes them: how much they tell the hub in 40 seconds.

They throw each other out for ever. Each must say so, in an event and in health, and neither may storm.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from tests.bench.room import TOPIC_ROOT
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.room import Room

SECONDS = 40.0
LIMIT_MESSAGES = 30
CODE = "session-taken-over"


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        Hub(broker.port, [f"{TOPIC_ROOT}/#"]) as hub,
    ):
        rooms = [Room("bench-room", "Bench", Path(folder) / name) for name in ("one", "two")]
        try:
            for room in rooms:
                room.use_hub(broker.port, TOPIC_ROOT)
                room.settings["health"]["interval_seconds"] = 60
                room.start()
            rooms[0].wait_answering()
            rooms[1].wait_answering()
            time.sleep(SECONDS)
            seen = list(hub.seen)
        finally:
            for room in rooms:
                room.stop()
    faults = [one for one in seen if one.topic.endswith("/event/fault")]
    events = sum(one.document["code"] == CODE for one in faults)
    healths = [one.document["devices"] for one in seen if one.topic.endswith("/health")]
    told = sum(devices.get("hub", {}).get("code") == CODE for devices in healths)
    return [
        Row("two of one name, 40 s: messages", len(seen), "", LIMIT_MESSAGES),
        Row("... events that say so", events, "", 1, at_least=True),
        Row("... health that says so", told, "", 1, at_least=True),
    ]
