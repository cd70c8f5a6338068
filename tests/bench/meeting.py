"""A long meeting: two sources played, the room published, its echo cancelled, shown in a window.

Open files, threads, processes and memory of the daemon and its media process are sampled all the time;
after the first ten minutes nothing may grow. DIEMCAU_MEETING_MINUTES is its length.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psutil

from tests.bench.footprint import Footprint, footprint, growth, megabytes_an_hour, rows
from tests.bench.joining import command
from tests.bench.room import TOPIC_ROOT
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.room import Room
from tests.support.virtual_screen import VirtualScreen

LONG = True
MINUTES = float(os.environ.get("DIEMCAU_MEETING_MINUTES", "90"))
WARM_UP_SHARE = 1 / 9
"""Of the meeting: ten minutes of ninety."""

SAMPLES = 90
LIMIT_DAEMON_MEGABYTES, LIMIT_MEDIA_PROCESS_MEGABYTES = 1.0, 5.0
SOURCES = ("hall", "hub")


INTERRUPTIONS = ("reconnecting", "media-restarted")


class Sample(NamedTuple):
    """`interruptions`: how often the room has said so far that something of the meeting was lost."""

    daemon: Footprint
    media_process: Footprint
    interruptions: int


def measure() -> list[Row]:
    samples = hold(MINUTES)
    interval_seconds = MINUTES * 60 / SAMPLES
    daemon, process = [one.daemon for one in samples], [one.media_process for one in samples]
    length = f"{MINUTES:g} min"
    return [
        *rows(f"{length}, daemon", growth(daemon), LIMIT_DAEMON_MEGABYTES),
        *rows(f"{length}, media process", growth(process), LIMIT_MEDIA_PROCESS_MEGABYTES),
        Row(
            f"{length}, media process: memory an hour",
            megabytes_an_hour(process, interval_seconds),
            "MB",
            LIMIT_MEDIA_PROCESS_MEGABYTES,
        ),
        Row(f"{length}: interruptions", samples[-1].interruptions, "", 0),
    ]


def hold(minutes: float) -> list[Sample]:
    """Be in a meeting that long; samples from the end of the warm-up on."""
    interval_seconds = minutes * 60 / SAMPLES
    samples = []
    with meeting_room() as (room, hub):
        started = time.monotonic()
        for number in range(1, SAMPLES + 1):
            time.sleep(max(0.0, started + number * interval_seconds - time.monotonic()))
            samples.append(sample(room, hub))
            print(f"{number * interval_seconds:6.0f} s {samples[-1]}", file=sys.stderr, flush=True)
    return samples[round(SAMPLES * WARM_UP_SHARE) :]


@contextlib.contextmanager
def meeting_room() -> Iterator[tuple[Room, Hub]]:
    """In the meeting."""
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        folder = Path(enter(tempfile.TemporaryDirectory(prefix="diemcau-bench-")))
        broker, server = enter(Broker(folder / "broker")), enter(MediaServer())
        for number, name in enumerate(SOURCES):
            enter(Publisher(server.whip(name), tone_hz=550 + 110 * number))
        room = Room("bench-room", "Bench", folder / "room")
        room.use_hub(broker.port, TOPIC_ROOT)
        room.devices["microphone"]["processing"] = True
        window = {"driver": "window", "width": 640, "height": 360, "framerate": 10}
        room.devices["display"]["output"] = window
        del room.devices["speaker"]["record"]
        stack.callback(room.stop)
        room.start({**os.environ, "DISPLAY": enter(VirtualScreen()).name})
        room.wait_online()
        hub = enter(Hub(broker.port, [f"{TOPIC_ROOT}/room/{room.id}/#"]))
        join(hub, server, room)
        yield room, hub


def join(hub: Hub, server: MediaServer, room: Room) -> None:
    command(
        hub,
        room,
        "join",
        "join",
        meeting={"id": "long"},
        publish={"url": server.whip("own")},
        play=[{"url": server.whep(name), "label": name} for name in SOURCES],
        microphone="live",
    )


def sample(room: Room, hub: Hub) -> Sample:
    (process,) = psutil.Process(room.pid).children()
    events = f"{TOPIC_ROOT}/room/{room.id}/event/"
    lost = sum(len(hub.on(f"{events}{type}")) for type in INTERRUPTIONS)
    return Sample(footprint(room.pid), footprint(process.pid), lost)
