"""Commands keep coming while the daemon, or the broker, is killed at random moments.

The seed is printed by a failing run. DIEMCAU_KILLS=200 is the long form of the first test and 20 of the
second, for a night; the suite does a few.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.broker import Broker, Hub
from tests.support.room import Room
from tests.support.waiting import wait_for

ROOT = "diemcau/test"
ROOM = "r1"
KILLS = int(os.environ.get("DIEMCAU_KILLS", "8"))
BROKER_KILLS = max(2, min(KILLS // 3, 20))
COMMANDS_PER_SECOND = 25


class Stream:
    """`identify` commands, each with an id of its own, while inside of `flowing`."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._numbers = itertools.count()
        self.sent: dict[str, dict[str, Any]] = {}

    @contextmanager
    def flowing(self) -> Iterator[None]:
        stopping = threading.Event()
        thread = threading.Thread(target=self._run, args=[stopping])
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def _run(self, stopping: threading.Event) -> None:
        while not stopping.wait(1 / COMMANDS_PER_SECOND):
            command = {"id": f"c{next(self._numbers)}"}
            self.sent[command["id"]] = command
            publish(self._hub, command)


def publish(hub: Hub, command: dict[str, Any]) -> None:
    """QoS 1, not waited for: paho keeps it while the broker is away."""
    hub.client.publish(f"{ROOT}/room/{ROOM}/cmd/identify", json.dumps(command), qos=1)


def finals(hub: Hub) -> dict[str, set[tuple[str, str, int]]]:
    """Id -> its different final words."""
    found: dict[str, set[tuple[str, str, int]]] = {}
    for seen in list(hub.seen):
        ack = seen.document
        if ack["state"] not in ("accepted", "running"):
            found.setdefault(ack["id"], set()).add((ack["state"], ack["at"], ack["seq"]))
    return found


@contextmanager
def stage(folder: Path) -> Iterator[tuple[Broker, Room, Hub]]:
    with Broker(folder / "hub") as broker:
        room = Room(ROOM, "Phòng thử", folder)
        room.use_hub(broker.port, ROOT)
        start(room)
        try:
            room.wait_online()
            with Hub(broker.port, [f"{ROOT}/room/{ROOM}/ack/#"]) as hub:
                yield broker, room, hub
        finally:
            room.stop()


def start(room: Room) -> None:
    room.start(entry=("tests.support.crashing", str(room.folder / "steps")))


def settle(room: Room, hub: Hub, sent: dict[str, dict[str, Any]], *, resend: bool) -> None:
    """Until all are answered; a hub whose broker died sends again, with the same id, what isn't."""
    room.wait_online(120)  # the pauses between its attempts grow

    def all_answered() -> bool:
        return set(sent) <= set(finals(hub))

    for _ in range(100):
        try:
            wait_for(all_answered, 0.6, "answers")
            return
        except AssertionError:
            for command_id in (set(sent) - set(finals(hub))) if resend else ():
                publish(hub, sent[command_id])
    raise AssertionError(f"never answered: {sorted(set(sent) - set(finals(hub)))[:10]}")


def check(room: Room, hub: Hub, sent: dict[str, dict[str, Any]], seed: int) -> None:
    """One final word an id; one effect for each that succeeded, at most one for any other."""
    words = finals(hub)
    assert {i: w for i, w in words.items() if len(w) > 1} == {}, f"seed {seed}"
    blinks = effects(room)
    for command_id in sent:
        ((state, _, _),) = words[command_id]
        allowed = (1,) if state == "succeeded" else (0, 1)
        assert blinks[command_id] in allowed, f"{command_id} {state}: {blinks[command_id]}x; {seed}"
    succeeded = sum(state == "succeeded" for ((state, _, _),) in words.values())
    assert succeeded > 0.8 * len(sent), f"only {succeeded} of {len(sent)}; seed {seed}"


def effects(room: Room) -> Counter[str]:
    """How often each command made the lamp blink: the loop works on one after the other."""
    blinks: Counter[str] = Counter()
    command_id = ""
    for step in (room.folder / "steps").read_text().splitlines():
        if step.startswith("record_command "):
            command_id = step.removeprefix("record_command ")
        elif step == "SetLamp blink":
            blinks[command_id] += 1
    return blinks


def test_the_daemon_is_killed_under_a_stream_of_commands(tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    with stage(tmp_path) as (_, room, hub):
        stream = Stream(hub)
        with stream.flowing():
            for _ in range(KILLS):
                time.sleep(chance.uniform(0.05, 0.6))  # the moment of the kill is what varies
                room.kill()
                start(room)
                room.wait_online(60)
        settle(room, hub, stream.sent, resend=False)
        check(room, hub, stream.sent, seed)


def test_the_broker_is_killed_under_a_stream_of_commands(tmp_path: Path) -> None:
    seed = random.randrange(1_000_000)
    chance = random.Random(seed)
    with stage(tmp_path) as (broker, room, hub):
        stream = Stream(hub)
        for _ in range(BROKER_KILLS):
            # Not while the room waits its turn: the broker itself drops what it can't keep.
            with stream.flowing():
                time.sleep(chance.uniform(0.2, 0.8))
                broker.kill()
                broker.start()
                wait_for(hub.client.is_connected, 30, "the operator's client is back")
            room.wait_online(120)  # the pauses between its attempts grow
        settle(room, hub, stream.sent, resend=True)
        check(room, hub, stream.sent, seed)
