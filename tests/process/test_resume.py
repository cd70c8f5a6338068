"""After a crash, a power cut or a reboot inside the meeting's window: back in it, muted, and said so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.room import Room
from tests.support.waiting import wait_for

ROOT = "diemcau/test"
ROOM = f"{ROOT}/room/r1"
FIRST_BOOT, SECOND_BOOT = "boot-1", "boot-2"
IN_SECONDS = 30.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    with Broker(tmp_path / "hub") as broker:
        yield broker


@pytest.fixture
def hub(broker: Broker) -> Iterator[Hub]:
    with Hub(broker.port) as hub:
        yield hub


@pytest.fixture
def room(broker: Broker, tmp_path: Path) -> Iterator[Room]:
    """A room whose media process only says that all is well; the first test has a real one."""
    room = Room("r1", "Phòng thử", tmp_path)
    room.use_hub(broker.port, ROOT)
    room.meet(room, "http://127.0.0.1:1")
    yield room
    room.stop()


def start(
    room: Room, boot: str = FIRST_BOOT, *options: str, media_process: str = "meeting"
) -> None:
    boot_id = room.folder / "boot_id"
    boot_id.write_text(boot)
    options = (
        "--boot-id",
        str(boot_id),
        *options,
        *(("--media-process", media_process) if media_process else ()),
    )
    room.start(entry=("tests.support.crashing", str(room.folder / "steps"), *options))


def join(room: Room, hub: Hub, **fields: Any) -> None:
    room.wait_online()
    command = {"id": "join-1", "meeting": {"id": "giao-ban"}, "microphone": "live", **fields}
    hub.send(f"{ROOM}/cmd/join", command)
    hub.wait_for(f"{ROOM}/ack/join-1", lambda ack: ack["state"] == "succeeded", IN_SECONDS)
    assert room.ask(type="status")["state"]["microphone"] == "live"


def events(hub: Hub) -> list[str]:
    return [m.topic.rpartition("/")[2] for m in hub.seen if m.topic.startswith(f"{ROOM}/event/")]


def in_meeting(room: Room) -> dict[str, Any]:
    room.wait_online()

    def state() -> dict[str, Any] | None:
        state: dict[str, Any] = room.ask(type="status")["state"]
        return state if state["phase"] == "in-meeting" else None

    return wait_for(state, IN_SECONDS, lambda: f"in the meeting; the log ends: {room.log_tail()}")


def test_a_killed_daemon_is_back_in_its_meeting_muted(room: Room, hub: Hub) -> None:
    with MediaServer() as server:
        room.meet(room, server.url)  # it sees and hears itself
        start(room, media_process="")
        join(room, hub)
        room.kill()
        back_and_out(room, hub)


def back_and_out(room: Room, hub: Hub) -> None:
    wait_for(lambda: not room.live_processes(), 5, "the media process died with its parent")
    start(room, media_process="")
    state = in_meeting(room)
    assert state["meeting"]["id"] == "giao-ban"
    assert state["microphone"] == "muted"
    hub.wait_for(f"{ROOM}/event/resumed")
    assert "power-restored" not in events(hub), "the machine did not start anew"
    finals = {m.payload for m in hub.on(f"{ROOM}/ack/join-1") if m.document["seq"] == 3}
    assert len(finals) == 1, (
        "answered before the crash; what the broker had not confirmed comes again"
    )

    hub.send(f"{ROOM}/cmd/leave", {"id": "leave-1"})
    hub.wait_for(f"{ROOM}/ack/leave-1", lambda ack: ack["state"] == "succeeded")
    audit = [
        (m.document["type"], m.document["detail"].get("command"))
        for m in hub.seen
        if m.topic.startswith(f"{ROOM}/event/device-")
        and m.document["detail"]["device"] == "camera"
    ]
    assert audit == [
        ("device-opened", "join-1"),
        ("device-closed", None),  # by the kill
        ("device-opened", "join-1"),
        ("device-closed", "leave-1"),
    ]


def test_after_a_power_cut_it_says_that_power_is_back(room: Room, hub: Hub) -> None:
    start(room)
    join(room, hub, until=(datetime.now(UTC) + timedelta(hours=2)).isoformat())
    room.kill()
    start(room, SECOND_BOOT)
    assert in_meeting(room)["microphone"] == "muted"
    hub.wait_for(f"{ROOM}/event/power-restored")
    hub.wait_for(f"{ROOM}/event/resumed")


@pytest.mark.parametrize("hours", [None, 2])
def test_after_the_meetings_time_it_is_in_standby_and_says_why(
    room: Room, hub: Hub, hours: int | None
) -> None:
    until = {"until": (datetime.now(UTC) + timedelta(hours=hours)).isoformat()} if hours else {}
    start(room)
    join(room, hub, **until)
    room.kill()
    start(room, SECOND_BOOT, "--hours-ahead", "13")
    room.wait_online()
    over = hub.wait_for(f"{ROOM}/event/meeting-over").document
    assert "giao-ban" in over["text"]
    status = room.ask(type="status")
    assert status["state"]["phase"] == "standby"
    assert status["state"]["meeting"] is None


def test_a_daemon_killed_while_joining_answers_its_join_and_is_in(room: Room, hub: Hub) -> None:
    start(room, FIRST_BOOT, "--crash", "after", "StartMedia 1")
    room.wait_online()
    hub.send(f"{ROOM}/cmd/join", {"id": "join-1", "meeting": {"id": "giao-ban"}})
    room.wait_killed()
    start(room)
    final = hub.wait_for(f"{ROOM}/ack/join-1", lambda ack: ack["seq"] == 3, IN_SECONDS)
    assert final.document["state"] == "succeeded"
    assert in_meeting(room)["microphone"] == "muted"


def test_a_daemon_killed_while_leaving_does_not_go_back(room: Room, hub: Hub) -> None:
    start(room, FIRST_BOOT, "--crash", "before", "StopMedia")
    join(room, hub)
    hub.send(f"{ROOM}/cmd/leave", {"id": "leave-1"})
    room.wait_killed()
    start(room)
    room.wait_online()
    final = hub.wait_for(f"{ROOM}/ack/leave-1", lambda ack: ack["seq"] == 3)
    assert final.document["state"] == "succeeded"
    assert room.ask(type="status")["state"]["phase"] == "standby"
    assert "resumed" not in events(hub)
