"""100,000 payloads that are no commands, half by MQTT and half by the control socket, to a daemon; then 100,000
commands with every property of MQTT 5 at its limits, and the daemon killed in between.

It must answer what comes after them, be in the same state, and not have grown; its link must not end.
"""

from __future__ import annotations

import itertools
import socket
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from agent import settings
from agent.core.model.events import CommandRefused
from agent.hub.messages import Incoming, decode_command
from agent.hub.signature import Signatures
from agent.hub.topics import Topics
from tests.bench.footprint import megabytes
from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.fuzz import fuzzed
from tests.support.properties_flood import BATCH as FLOOD_BATCH
from tests.support.properties_flood import PropertiesFlood
from tests.support.room import Room

LONG = True
PAYLOADS = 50_000
BATCH = 500
"""Less than the broker keeps for a client that is slow."""

PAYLOADS_A_LIFE = 5_000
NEVER = 10**9

LIMIT_GROWTH_MEGABYTES = 2.0


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        running_room(Path(folder), broker.port) as room,
        Hub(broker.port, [f"{TOPIC_ROOT}/room/{room.id}/ack/+"]) as hub,
        Hub(broker.port, [f"{TOPIC_ROOT}/room/{room.id}/state"]) as watcher,
    ):
        topics = Topics(TOPIC_ROOT, settings.Room(id=room.id))
        _by_mqtt(hub, topics, useless(BATCH, topics, seed=0))
        before = megabytes(room.pid, "Pss")
        state = watcher.wait_for(topics.state).document
        _by_mqtt(hub, topics, useless(PAYLOADS, topics, seed=1))
        _by_socket(room, useless(PAYLOADS, topics, seed=2))
        growth = megabytes(room.pid, "Pss") - before
        newest = watcher.on(topics.state)[-1].document
    changed = [name for name in state if name != "at" and state[name] != newest[name]]
    return [
        Row("100,000 useless payloads, effects", len(changed), "", 0),
        Row("100,000 useless payloads, growth", growth, "MB", LIMIT_GROWTH_MEGABYTES),
        *_properties(),
    ]


def _properties() -> list[Row]:
    """Memory is compared between the first and the last life, each after as many messages."""
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
    ):
        flood = PropertiesFlood(Path(folder), broker, seed=3)
        flood.room.start()
        try:
            flood.room.wait_online()
            flood.pour(PAYLOADS_A_LIFE, batches_a_life=NEVER)
            before = megabytes(flood.room.pid, "Pss")
            flood.pour(2 * PAYLOADS, batches_a_life=PAYLOADS_A_LIFE // FLOOD_BATCH)
            flood.pour(PAYLOADS_A_LIFE, batches_a_life=NEVER)
            growth = megabytes(flood.room.pid, "Pss") - before
            ends = flood.ends
        finally:
            flood.room.stop()
    for line in ends:
        print(line)
    return [
        Row("100,000 messages with properties, ends of the link", len(ends), "", 0),
        Row("100,000 messages with properties, growth", growth, "MB", LIMIT_GROWTH_MEGABYTES),
    ]


def useless(count: int, topics: Topics, seed: int) -> Iterator[Incoming]:
    """Fuzzed messages that are no commands, on topics that MQTT can carry."""
    nobody = Signatures("/nowhere", required=False)
    room = topics.state.split("/")[-2]
    refused = (
        one
        for one in fuzzed(10 * count, seed, room)
        if "\0" not in one.topic
        and isinstance(decode_command(one, topics, nobody), CommandRefused)
        and not one.retained
    )
    return itertools.islice(refused, count)


def _by_mqtt(hub: Hub, topics: Topics, messages: Iterable[Incoming]) -> None:
    pending = list(messages)
    while pending:
        batch, pending = pending[:BATCH], pending[BATCH:]
        for one in batch:
            hub.client.publish(one.topic, one.payload, qos=1)
        id = f"after-{len(pending)}"
        hub.send(f"{topics.commands()[0][:-1]}ping", {"id": id})
        hub.wait_for(topics.ack(id), lambda ack: ack["state"] == "succeeded", seconds=120)
        del hub.seen[:-50]


def _by_socket(room: Room, messages: Iterable[Incoming]) -> None:
    """A line each; every line is answered."""
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(room.folder / "control.sock"))
        client.settimeout(30)
        with client.makefile("rb") as answers:
            for one in messages:
                line = one.payload.replace(b"\n", b" ").strip()
                if line:
                    client.sendall(line + b"\n")
                    assert answers.readline().startswith(b"{"), "the daemon hung up"
