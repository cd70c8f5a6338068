"""kill -9 at every step between a command's receipt and its published result.

The victim's command is `identify`, whose effect (the lamp blinks) is counted in the logbook, or `ping`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import Broker, Hub
from tests.support.room import Room

ROOT = "diemcau/test"
VICTIM = "victim"
BLINK = "SetLamp blink"

POINTS = [
    # the command, when, the step, the final word after the restart, how often the lamp blinked
    ("identify", "before", f"record_command {VICTIM}", "succeeded", 1),
    ("identify", "after", f"record_command {VICTIM}", "failed", 0),
    ("identify", "after", "AcknowledgeDelivery", "failed", 0),
    ("identify", "before", f"SendAck {VICTIM} accepted", "failed", 0),
    ("identify", "after", f"SendAck {VICTIM} accepted", "failed", 0),
    ("identify", "after", BLINK, "failed", 1),
    ("identify", "before", f"record_result {VICTIM}", "failed", 1),
    ("identify", "after", f"record_result {VICTIM}", "succeeded", 1),
    ("identify", "after", f"SendAck {VICTIM} succeeded", "succeeded", 1),
    ("identify", "before", f"mark_sent {VICTIM}", "succeeded", 1),
    ("identify", "after", f"mark_sent {VICTIM}", "succeeded", 1),
    # a command that is answered at once: command and result are one commit
    ("ping", "after", f"record_command {VICTIM}", "succeeded", 0),
    ("ping", "at", f"commit {VICTIM}", "succeeded", 0),
    ("ping", "at", f"committed {VICTIM}", "succeeded", 0),
    ("ping", "after", "AcknowledgeDelivery", "succeeded", 0),
    ("ping", "before", f"SendAck {VICTIM} succeeded", "succeeded", 0),
    ("ping", "after", f"SendAck {VICTIM} succeeded", "succeeded", 0),
]


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("hub")) as broker:
        yield broker


@pytest.fixture
def room(broker: Broker, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Room]:
    index = POINTS.index(tuple(request.node.callspec.params.values()))
    room = Room(f"r{index}", "Phòng thử", tmp_path)
    room.use_hub(broker.port, ROOT)
    yield room
    room.stop()


@pytest.mark.parametrize(("kind", "when", "step", "state", "blinks"), POINTS)
def test_a_command_has_one_final_word_and_one_effect(
    broker: Broker, room: Room, kind: str, when: str, step: str, state: str, blinks: int
) -> None:
    logbook = room.folder / "steps"
    entry = ("tests.support.crashing", str(logbook))
    topic = f"{ROOT}/room/{room.id}/cmd"
    with Hub(broker.port, [f"{ROOT}/room/{room.id}/ack/#"]) as hub:
        room.start(entry=(*entry, "--crash", when, step))
        room.wait_online()
        hub.send(f"{topic}/{kind}", {"id": VICTIM})
        room.wait_killed()

        room.start(entry=entry)
        final = hub.wait_for(f"{ROOT}/room/{room.id}/ack/{VICTIM}", is_final)
        assert final.document["state"] == state
        if state == "failed":
            assert final.document["code"] == "interrupted"

        # What is sent again by then was sent for good reason, and says the same.
        hub.send(f"{topic}/{kind}", {"id": VICTIM})
        hub.send(f"{topic}/ping", {"id": "after"})
        hub.wait_for(f"{ROOT}/room/{room.id}/ack/after", is_final)
        finals = [seen.document for seen in hub.on(final.topic) if is_final(seen.document)]
        assert all(document == final.document for document in finals)
        assert logbook.read_text().splitlines().count(BLINK) == blinks


def is_final(ack: Any) -> bool:
    return ack["state"] not in ("accepted", "running")
