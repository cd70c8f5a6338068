"""A Pi has no clock: until NTP has set it, expiry is judged by the last good time, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.support.broker import Broker, Hub
from tests.support.room import Room

ROOT = "diemcau/test"
ROOM = f"{ROOT}/room/r1"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    room = Room("r1", "Phòng thử", tmp_path)
    room.settings["health"]["interval_seconds"] = 1
    room.settings["clock"] = {"trusted": False}
    return room


@pytest.fixture
def hub(room: Room, tmp_path: Path) -> Iterator[Hub]:
    with Broker(tmp_path / "hub") as broker:
        room.use_hub(broker.port, ROOT)
        with Hub(broker.port) as hub:
            yield hub
            room.stop()


def start(room: Room, *options: str) -> None:
    room.start(entry=("tests.support.crashing", str(room.folder / "steps"), *options))
    room.wait_online()


def answer(hub: Hub, command_id: str, expires: timedelta | None) -> dict[str, Any]:
    """The final ack of a ping that expires so long from now (by a good clock)."""
    command = {"id": command_id}
    if expires is not None:
        command["expires"] = (datetime.now(UTC) + expires).isoformat()
    hub.send(f"{ROOM}/cmd/ping", command)
    ack: dict[str, Any] = hub.wait_for(
        f"{ROOM}/ack/{command_id}", lambda ack: ack["state"] not in ("accepted", "running")
    ).document
    return ack


def test_expiry_without_a_clock(room: Room, hub: Hub) -> None:
    room.settings["clock"] = {"trusted": False}
    start(room)
    assert answer(hub, "good", timedelta(hours=1))["state"] == "succeeded"
    room.stop()

    start(room, "--unsynchronised", "--hours-ahead=-48")  # booted two days in the past
    past = answer(hub, "past", timedelta(hours=-1))
    assert (past["state"], past["code"]) == ("expired", "expired"), "the last good time tells"
    future = answer(hub, "future", timedelta(hours=1))
    assert (future["state"], future["code"]) == ("rejected", "clock-unsynchronised")
    assert answer(hub, "timeless", None)["state"] == "succeeded"
    said = datetime.fromisoformat(future["at"])
    assert abs(said - datetime.now(UTC)) < timedelta(minutes=5), "no document from the past"

    host = hub.wait_for(
        f"{ROOM}/health", lambda health: health["host"].get("clock_synchronised") is False
    ).document["host"]
    assert (host["status"], host["code"]) == ("degraded", "clock-unsynchronised")
    assert "NTP" in host["text"]


def test_a_clock_that_the_settings_trust_is_believed(room: Room, hub: Hub) -> None:
    room.settings["clock"] = {"trusted": True}
    start(room, "--unsynchronised")
    assert answer(hub, "now", timedelta(hours=1))["state"] == "succeeded"
