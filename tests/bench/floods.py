"""A hub that floods its room: how soon the lamp follows the button meanwhile, and how much memory is held.

20,000 pings come as fast as the broker passes them on, by QoS 1 and by QoS 0, on this disk and on one that takes
15 ms a write (an SD card that is busy); then 4,000 joins of 25 KB, which are 100 MB. The room is in a meeting of a
media process that does nothing. The last 20,000 bear a trusted key's name and a signature that is not its own: each is looked
at in full before it is refused.
"""

from __future__ import annotations

import base64
import contextlib
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from agent.hub.signature import make_key
from agent.hub.trusted_keys import TrustedKey
from tests.bench.footprint import megabytes
from tests.bench.idle import cpu_seconds
from tests.bench.room import TOPIC_ROOT
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.room import Room
from tests.support.waiting import wait_for

MESSAGES = 20_000
PRESSES = 20
JOINS, JOIN_BYTES = 4_000, 25_000
SLOW_DISK_SECONDS = 0.015
LIMIT_LAMP_MILLISECONDS = 50.0
LIMIT_GROWTH_MEGABYTES = 12.0
"""What the inbox, the link's window and one packet of the broker's take; all of the joins would be 100."""

CALM_SECONDS = 0.3
FOLLOWED_SECONDS = 60.0


def measure() -> list[Row]:
    rows = []
    for disk_seconds, disk in ((0.0, ""), (SLOW_DISK_SECONDS, ", slow disk")):
        for qos in (1, 0):
            with _flooded(disk_seconds, qos) as room:
                taken = sorted(_press(room) for _ in range(PRESSES))
                ends = room.log.read_text().count("hub link down")
            p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1]
            what = f"{MESSAGES} pings, QoS {qos}{disk}"
            rows += [
                Row(f"{what}: lamp", p95, "ms", LIMIT_LAMP_MILLISECONDS),
                Row("... the slowest of 20 presses", taken[-1], "ms", None),
                Row("... ends of the link", ends, "", 0),
            ]
    return [*rows, *_forged(), *_memory()]


def _forged() -> list[Row]:
    """While the flood of signatures is on: the button, and the daemon's processor time."""
    signer, public = make_key("bench", "Bench", ["*"], ["*"], ["*"])
    header, _, signature = signer.sign(b"{}").split(".")

    def forged(number: int) -> str:
        fields = f'{{"id":"f{number}","type":"ping"}}'.encode()
        return f"{header}.{base64.urlsafe_b64encode(fields).rstrip(b'=').decode()}.{signature}"

    with _meeting(0.0, public) as (room, hub):
        refused = f"{TOPIC_ROOT}/room/{room.id}/event/command-refused"
        with _flood(hub, room, forged, lambda: any(one.topic == refused for one in list(hub.seen))):
            began, before = time.monotonic(), cpu_seconds(room.pid)
            taken = sorted(_press(room) for _ in range(PRESSES))
            share = 100 * (cpu_seconds(room.pid) - before) / (time.monotonic() - began)
            ends = room.log.read_text().count("hub link down")
        said = json.loads(next(one.payload for one in hub.seen if one.topic == refused))
    assert said["code"] == "bad-signature", said
    p95 = statistics.quantiles(taken, n=20, method="inclusive")[-1]
    return [
        Row(f"{MESSAGES} forged signatures: lamp", p95, "ms", LIMIT_LAMP_MILLISECONDS),
        Row("... the slowest of 20 presses", taken[-1], "ms", None),
        Row("... share of a core", share, "%", None),
        Row("... ends of the link", ends, "", 0),
    ]


def _memory() -> list[Row]:
    with _meeting(SLOW_DISK_SECONDS) as (room, hub):
        before = megabytes(room.pid, "Pss")
        topic = f"{TOPIC_ROOT}/room/{room.id}/cmd/join"
        padding = "x" * JOIN_BYTES
        for number in range(JOINS):
            fields = f'{{"id":"j{number}","meeting":{{"id":"bench"}},"padding":"{padding}"}}'
            hub.client.publish(topic, fields, qos=1)
        samples, answered = [], hub.seen
        while len({one.topic for one in list(answered) if "/ack/j" in one.topic}) < JOINS // 10:
            samples.append(megabytes(room.pid, "Pss"))
            time.sleep(0.1)
        ends = room.log.read_text().count("hub link down")
    return [
        Row(f"{JOINS} joins of 25 KB: memory", max(samples) - before, "MB", LIMIT_GROWTH_MEGABYTES),
        Row("... ends of the link", ends, "", 0),
    ]


@contextlib.contextmanager
def _flooded(disk_seconds: float, qos: int) -> Iterator[Room]:
    """While the flood is on."""
    with _meeting(disk_seconds) as (room, hub):

        def has_begun() -> bool:
            return any("/ack/q" in one.topic for one in list(hub.seen))

        with _flood(hub, room, lambda number: f'{{"id":"q{qos}-{number}"}}', has_begun, qos):
            yield room


@contextlib.contextmanager
def _flood(
    hub: Hub, room: Room, ping: Callable[[int], str], has_begun: Callable[[], bool], qos: int = 1
) -> Iterator[None]:
    """Pings as fast as the broker passes them on, from the first that shows until the caller is done."""
    topic = f"{TOPIC_ROOT}/room/{room.id}/cmd/ping"
    over = threading.Event()

    def flood() -> None:
        for number in range(MESSAGES):
            hub.client.publish(topic, ping(number), qos=qos)
            if over.is_set():
                return

    flooding = threading.Thread(target=flood)
    flooding.start()
    try:
        wait_for(has_begun, 20, "the flood")
        yield
    finally:
        over.set()
        flooding.join()


@contextlib.contextmanager
def _meeting(disk_seconds: float, trusted: TrustedKey | None = None) -> Iterator[tuple[Room, Hub]]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        Hub(broker.port, [f"{TOPIC_ROOT}/room/+/{kind}/+" for kind in ("ack", "event")]) as hub,
    ):
        room = Room("bench-room", "Bench", Path(folder) / "room")
        room.use_hub(broker.port, TOPIC_ROOT)
        if trusted is not None:
            keys = Path(folder) / "trusted-keys"
            keys.mkdir()
            (keys / "bench.json").write_bytes(msgspec.json.encode(trusted))
            room.settings["hub"]["trusted_keys"] = str(keys)
        entry = [
            "tests.support.crashing",
            str(Path(folder) / "steps"),
            "--media-process",
            "meeting",
        ]
        room.start(entry=[*entry, "--write-seconds", str(disk_seconds)])
        try:
            room.wait_online()
            command = f"{TOPIC_ROOT}/room/{room.id}"
            fields = {"id": "in", "meeting": {"id": "bench"}, "microphone": "live", "publish": None}
            hub.send(f"{command}/cmd/join", fields)
            hub.wait_for(f"{command}/ack/in", lambda ack: ack["state"] == "succeeded")
            yield room, hub
        finally:
            room.stop()


def _press(room: Room) -> float:
    """Milliseconds until the lamp shows it."""
    lamp = room.folder / "lamp.log"
    before = len(lamp.read_text().splitlines())
    with (room.folder / "mute-button").open("w") as finger:
        began = time.time()
        finger.write("press\n")
        finger.flush()
        wait_for(lambda: len(lamp.read_text().splitlines()) > before, FOLLOWED_SECONDS, "the lamp")
        finger.write("release\n")
    time.sleep(CALM_SECONDS)
    return 1000 * (float(lamp.read_text().splitlines()[before].split()[0]) - began)
