"""How fast a room is in a meeting: from the hub's `join` to media both ways, simulated devices.

The server notes when the room's first RTP packet arrives; the final ack says that the first picture
or sound was decoded. The same once more with two ICE servers that never answer, which may hold up no join.
"""

from __future__ import annotations

import contextlib
import json
import socket
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.bench.room import TOPIC_ROOT, running_room
from tests.bench.row import Row
from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.room import Room

JOINS = 10
LIMIT_FIRST_RTP_SECONDS = 1.5
LIMIT_FIRST_PICTURE_SECONDS = 2.5
LIMIT_RATIO = 1.2


def measure() -> list[Row]:
    """By turns, so that both rooms meet the same machine."""
    with (
        MediaServer() as server,
        Publisher(server.whip("other")),
        silent_servers() as ice_servers,
        joining_room([]) as plain,
        joining_room(ice_servers) as helped,
    ):
        pairs = [
            [
                join_once(*one, server, f"{kind}-{number}")
                for kind, one in enumerate((plain, helped))
            ]
            for number in range(JOINS)
        ]
    (sent, decoded), (_, held_up) = (
        [statistics.median(one) for one in zip(*times, strict=True)]
        for times in zip(*pairs, strict=True)
    )
    return [
        Row("join to first RTP upstream", sent, "s", LIMIT_FIRST_RTP_SECONDS),
        Row("join to first picture decoded", decoded, "s", LIMIT_FIRST_PICTURE_SECONDS),
        Row("... with two silent ICE servers, to without", held_up / decoded, "x", LIMIT_RATIO),
    ]


@contextlib.contextmanager
def silent_servers() -> Iterator[list[str]]:
    """A STUN and a TURN server whose machine takes packets and says nothing."""
    with contextlib.ExitStack() as stack:
        sockets = [
            stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2)
        ]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        stun, turn = (one.getsockname()[1] for one in sockets)
        yield [f"stun:127.0.0.1:{stun}", f"turn:room@127.0.0.1:{turn}"]


@contextlib.contextmanager
def joining_room(ice_servers: list[str]) -> Iterator[tuple[Hub, Room]]:
    """One with these ICE servers, at a hub of its own."""

    def prepare(room: Room) -> None:
        if ice_servers:
            password = room.folder.parent / "password"
            password.touch(0o600)
            password.write_text("none knows", "utf-8")
            named = {"ice_servers": ice_servers, "ice_credential_file": str(password)}
            room.settings["media"] |= named

    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
        running_room(Path(folder), broker.port, prepare) as room,
        Hub(broker.port, [f"{TOPIC_ROOT}/room/{room.id}/ack/+"]) as hub,
    ):
        yield hub, room


def join_once(hub: Hub, room: Room, server: MediaServer, number: str) -> tuple[float, float]:
    """Seconds from publishing the join to the first packet at the server, and to `succeeded`."""
    name = f"own-{number}"
    started = time.monotonic()
    command(
        hub,
        room,
        "join",
        f"join-{number}",
        meeting={"id": "bench"},
        publish={"url": server.whip(name)},
        play=[{"url": server.whep("other")}],
    )
    decoded = time.monotonic() - started
    (session,) = [one for one in server.sessions() if one["name"] == name]
    command(hub, room, "leave", f"leave-{number}")
    return session["first_packet_monotonic_seconds"] - started, decoded


def command(hub: Hub, room: Room, kind: str, command_id: str, **fields: object) -> None:
    """Publish and wait for the final ack. Raises AssertionError unless it is `succeeded`."""
    base = f"{TOPIC_ROOT}/room/{room.id}"
    hub.client.publish(f"{base}/cmd/{kind}", json.dumps({"id": command_id, **fields}), qos=1)
    try:
        final = hub.wait_for(
            f"{base}/ack/{command_id}", lambda ack: ack["state"] not in ("accepted", "running")
        )
    except AssertionError as error:
        raise AssertionError(f"{error}; the room's log ends: {room.log_tail()}") from error
    assert final.document["state"] == "succeeded", final.document
