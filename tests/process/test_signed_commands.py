"""A whole daemon that obeys signatures only, at a broker that anybody may publish to."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.hub.signature import Signer, make_key
from tests.support.broker import Broker, Hub, Seen, wait_until
from tests.support.room import Room

ROOT = "diemcau/test"
TOPIC = f"{ROOT}/room/r1"


class Stage:
    """The room, the hub's client, and the one key that the room trusts."""

    def __init__(self, room: Room, hub: Hub, signer: Signer) -> None:
        self.room = room
        self.hub = hub
        self._signer = signer

    def signed(self, type: str, id: str, *, seconds: float = 60, **fields: Any) -> bytes:
        issued = datetime.now(UTC) + timedelta(seconds=min(0, seconds) - 1)
        expires = datetime.now(UTC) + timedelta(seconds=seconds)
        times = {"issued": issued, "expires": expires}
        command = {"id": id, "type": type, "to": "room/r1", **times, **fields}
        return self._signer.sign(msgspec.json.encode(command)).encode()

    def final(self, id: str) -> tuple[str, str]:
        ack = self.hub.wait_for(
            f"{TOPIC}/ack/{id}", lambda one: one["state"] not in ("accepted", "running")
        )
        return ack.document["state"], ack.document["code"]

    def acks(self, id: str) -> list[Seen]:
        return self.hub.on(f"{TOPIC}/ack/{id}")

    def seeing_or_hearing(self) -> list[str]:
        """Which of camera and microphone are open now."""
        return [name for name in ("camera", "microphone") if name in self.room.open_devices()]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    keys = tmp_path / "trusted-keys"
    signer, public = make_key("ha-2026", "Hà", ["identify", "join"], ["r1"], [])
    keys.mkdir()
    (keys / "ha-2026.json").write_bytes(msgspec.json.encode(public))
    with Broker(tmp_path / "hub") as broker:
        room = Room("r1", "Phòng 1", tmp_path / "room")
        room.use_hub(broker.port, ROOT)
        room.settings["hub"] |= {"require_signature": True, "trusted_keys": str(keys)}
        room.settings["clock"] = {"trusted": True}
        room.start()
        try:
            room.wait_online()
            with Hub(broker.port, [f"{TOPIC}/#"]) as hub:
                yield Stage(room, hub, signer)
        finally:
            room.stop()


def test_a_broken_into_broker_cannot_open_a_microphone(stage: Stage) -> None:
    stranger, _ = make_key("ha-2026", "?", ["*"], ["*"], ["*"])
    forger = Stage(stage.room, stage.hub, stranger)
    meeting = {"id": "m"}
    join = f"{TOPIC}/cmd/join"
    stage.hub.send(join, {"id": "plain", "meeting": meeting, "microphone": "live"})
    stage.hub.send(join, forger.signed("join", "forged", meeting=meeting, microphone="live"))
    stage.hub.send(join, stage.signed("identify", "other-type"))
    assert stage.final("plain") == ("rejected", "unsigned")
    assert stage.final("other-type") == ("rejected", "not-permitted")
    told = stage.hub.wait_for(f"{TOPIC}/event/command-refused").document
    assert told["code"] == "unsigned"
    states = [one.document for one in stage.hub.on(f"{TOPIC}/state")]
    assert {(one["phase"], one["microphone"]) for one in states} == {("standby", "off")}
    assert stage.seeing_or_hearing() == []


def test_a_signed_command_is_carried_out_once_also_across_a_restart(stage: Stage) -> None:
    token = stage.signed("identify", "blink", seconds=120)
    stage.hub.send(f"{TOPIC}/cmd/identify", token)
    assert stage.final("blink") == ("succeeded", "ok")
    stage.room.kill()
    stage.room.start()
    stage.room.wait_online()
    lamp = stage.room.folder / "lamp.log"
    before, answers = lamp.read_text(), len(stage.acks("blink"))
    stage.hub.send(f"{TOPIC}/cmd/identify", token)
    wait_until(lambda: len(stage.acks("blink")) > answers, "the answer from the journal")
    assert stage.acks("blink")[-1].document == stage.acks("blink")[answers - 1].document
    stage.hub.send(f"{TOPIC}/cmd/identify", stage.signed("identify", "late", seconds=-5))
    assert stage.final("late") == ("expired", "expired")
    assert "blink" not in lamp.read_text().removeprefix(before)
