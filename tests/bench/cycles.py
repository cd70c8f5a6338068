"""Five hundred meetings one after the other: what the daemon holds afterwards, and nothing of theirs.

The first ten warm it up (imports, SQLite's cache, allocator); growth is counted from there.
DIEMCAU_CYCLES is another number of meetings.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.bench.footprint import Footprint, footprint, growth, rows
from tests.bench.joining import command
from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.room import Room
from tests.support.waiting import wait_for

LONG = True
CYCLES = int(os.environ.get("DIEMCAU_CYCLES", "500"))
WARM_UP_CYCLES = 10
LIMIT_GROWTH_MEGABYTES = 2.0
SOURCE = "hall"
END_SECONDS = 10.0


class Left(NamedTuple):
    """What was there after each meeting but the first ones, and at the server after the last."""

    daemon: list[Footprint]
    sessions: int


def measure() -> list[Row]:
    left = repeat(CYCLES)
    return [
        *rows(f"{CYCLES} meetings", growth(left.daemon), LIMIT_GROWTH_MEGABYTES),
        Row(f"{CYCLES} meetings: sessions left", left.sessions, "", 0),
    ]


def repeat(cycles: int, warm_up_cycles: int = WARM_UP_CYCLES) -> Left:
    """Meetings of a room of its own; `cycles` of them count."""
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        MediaServer() as server,
        Publisher(server.whip(SOURCE)),
        running_room(Path(folder), broker.port) as room,
        Hub(broker.port, [f"{TOPIC_ROOT}/room/{room.id}/ack/+"]) as hub,
    ):
        daemon = []
        for number in range(warm_up_cycles + cycles):
            cycle(hub, server, room, number)
            daemon.append(footprint(room.pid))
        return Left(daemon[warm_up_cycles:], len(server.sessions()) - 1)


def cycle(hub: Hub, server: MediaServer, room: Room, number: int) -> None:
    """In, publishing and playing, and out again: the media process ends soon after the answer."""
    command(
        hub,
        room,
        "join",
        f"join-{number}",
        meeting={"id": "cycles"},
        publish={"url": server.whip("cycles")},
        play=[{"url": server.whep(SOURCE)}],
    )
    command(hub, room, "leave", f"leave-{number}")
    hub.seen.clear()
    wait_for(lambda: not footprint(room.pid).children, END_SECONDS, "the media process's end")
