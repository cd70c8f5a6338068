"""Fifty meetings one after the other: the daemon's open files, threads and memory afterwards.

The first ten warm it up (imports, SQLite's cache, allocator); growth is counted from there.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.bench.idle import pss_megabytes
from tests.bench.joining import command
from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.room import Room

LONG = True
CYCLES = 50
WARM_UP_CYCLES = 10
LIMIT_GROWTH_MEGABYTES = 1.0


class Footprint(NamedTuple):
    """What the daemon holds between two meetings."""

    files: int
    threads: int
    processes: int
    megabytes: float


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        MediaServer() as server,
        running_room(Path(folder), broker.port) as room,
        Hub(broker.port, [f"{TOPIC_ROOT}/room/{room.id}/ack/+"]) as hub,
    ):
        for number in range(WARM_UP_CYCLES):
            cycle(hub, server, room, number)
        before = footprint(room.pid)
        for number in range(WARM_UP_CYCLES, WARM_UP_CYCLES + CYCLES):
            cycle(hub, server, room, number)
        after = footprint(room.pid)
    return [
        Row("50 meetings: more open files", after.files - before.files, "", 0),
        Row("50 meetings: more threads", after.threads - before.threads, "", 0),
        Row("50 meetings: processes left", after.processes, "", 0),
        Row(
            "50 meetings: more memory",
            after.megabytes - before.megabytes,
            "MB",
            LIMIT_GROWTH_MEGABYTES,
        ),
    ]


def cycle(hub: Hub, server: MediaServer, room: Room, number: int) -> None:
    """In and out again; the room only publishes."""
    publish = {"url": server.whip("cycles")}
    meeting = {"id": "cycles"}
    command(hub, room, "join", f"join-{number}", meeting=meeting, publish=publish, play=[])
    command(hub, room, "leave", f"leave-{number}")


def footprint(pid: int) -> Footprint:
    daemon = psutil.Process(pid)
    children = daemon.children(recursive=True)
    return Footprint(daemon.num_fds(), daemon.num_threads(), len(children), pss_megabytes(pid))
