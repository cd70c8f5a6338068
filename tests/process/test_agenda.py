"""Rooms that meet by their agenda: planned with the tool, published once, and the broker gone when they meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from agent.cli.app import run_tool
from tests.support.broker import Broker, Hub, wait_until
from tests.support.media_server import MediaServer
from tests.support.room import Room

ROOT = "diemcau/v1"
AHEAD_SECONDS = 12


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """One that a test may stop."""
    with Broker(tmp_path / "broker", persistent=True) as broker:
        yield broker


@pytest.fixture
def rooms(tmp_path: Path, own_broker: Broker, media_server: MediaServer) -> Iterator[list[Room]]:
    """Two rooms that play each other, joining a second before the time."""
    made = [Room("xa-a", "Xã A", tmp_path / "a"), Room("xa-b", "Xã B", tmp_path / "b")]
    for one, other in (made, made[::-1]):
        one.use_hub(own_broker.port, ROOT)
        one.meet(other, media_server.url)
        one.settings["agenda"] = {
            "join_minutes_before": 0.02,
            "announce_minutes_before": 0.1,
            "check_minutes_before": [],
        }
        one.start()
    for one in made:
        one.wait_online()
    yield made
    for one in made:
        one.stop()


@pytest.fixture
def tool(
    tmp_path: Path,
    own_broker: Broker,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., str]:
    settings = tmp_path / "conductor.yaml"
    settings.write_text(
        yaml.safe_dump(
            {
                "hub": {"host": "127.0.0.1", "port": own_broker.port, "topic_root": ROOT},
                "media": {
                    "publish_url": "http://127.0.0.1/{meeting}-{room}/whip",
                    "play_url": "http://127.0.0.1/{meeting}-{room}/whep",
                },
            }
        )
    )
    monkeypatch.setenv("DIEMCAU_CONDUCTOR", str(settings))
    monkeypatch.setenv("DIEMCAU_AGENDA", str(tmp_path / "agenda.json"))

    def run(*arguments: str) -> str:
        code = run_tool(["agenda", *arguments])
        printed = capsys.readouterr()
        assert code == 0, printed
        return printed.out

    return run


def phase(room: Room) -> str:
    return str(room.ask(type="status")["state"]["phase"])


def test_two_rooms_meet_by_agenda_alone(
    rooms: list[Room], own_broker: Broker, tool: Callable[..., str]
) -> None:
    begin = datetime.now(UTC) + timedelta(seconds=AHEAD_SECONDS)
    tool("add", "Giao ban", "--starts", begin.isoformat(), "--minutes", "1", "--to", "group/all")
    assert "new" in tool("publish", "--yes")
    assert "Nothing changes" in tool("publish", "--dry-run")
    for room in rooms:
        wait_until(lambda room=room: room.ask(type="agenda")["items"], f"{room.id} knows of it")
    joinings = [f"{ROOT}/room/+/event/agenda-joining"]
    with Hub(own_broker.port, joinings) as hub:
        own_broker.stop()
        for room in rooms:
            wait_until(
                lambda room=room: phase(room) == "in-meeting",
                lambda room=room: f"{room.id} is in: {room.log_tail()}",
                AHEAD_SECONDS + 40,
            )
        assert datetime.now(UTC) > begin - timedelta(seconds=5)
        for room in rooms:
            state = room.ask(type="status")["state"]
            assert (state["meeting"]["id"], state["microphone"]) == ("giao-ban", "muted")
            assert room.ask(type="status")["link"]["up"] is False
        with ExitStack() as stack:  # the hub must be there first: who is away hears nothing
            for room in rooms:
                stack.enter_context(room.frozen())
            own_broker.start()
            hub.wait_back()
        wait_until(lambda: len(hub.seen) >= 2, "both say that they joined by the agenda", 60)
        assert sorted(seen.topic.split("/")[3] for seen in hub.seen) == ["xa-a", "xa-b"], "once"


def test_a_cancelled_meeting_is_not_joined_and_the_room_s_tool_says_so(
    rooms: list[Room], tool: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    begin = datetime.now(UTC) + timedelta(hours=2)
    item = tool("add", "Họp", "--starts", begin.isoformat(), "--to", "room/xa-a").split()[0]
    tool("publish", "--yes")
    tool("cancel", item)
    assert "cancelled" in tool("publish", "--yes")
    room = rooms[0]
    wait_until(
        lambda: [one.get("cancelled") for one in room.ask(type="agenda")["items"]] == [True],
        "it knows that it is off",
    )
    assert run_tool(["--config", str(room.folder / "agent.yaml"), "agenda"]) == 0
    assert "Họp  cancelled" in capsys.readouterr().out
    assert rooms[1].ask(type="agenda")["items"] == []
