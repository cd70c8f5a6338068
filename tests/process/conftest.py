"""Whole daemons as processes, at a real Mosquitto and a real media server."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.broker import Broker, Hub, wait_until
from tests.support.media_server import MediaServer
from tests.support.room import Room

FINAL = ("succeeded", "failed", "rejected", "expired", "superseded")
MEDIA_PROCESS_SECONDS = 30


class Site:
    """One room and its hub: what an operator there sends and sees."""

    def __init__(self, room: Room, hub: Hub, topic: str) -> None:
        self.room = room
        self.hub = hub
        self.topic = topic
        self._numbers = itertools.count(1)

    def command(self, type: str, **fields: Any) -> dict[str, Any]:
        """Send a command by MQTT; its final ack."""
        id = f"{type}-{next(self._numbers)}"
        self.hub.send(f"{self.topic}/cmd/{type}", {"id": id, **fields})
        final = self.hub.wait_for(
            f"{self.topic}/ack/{id}", lambda ack: ack["state"] in FINAL, seconds=40
        )
        document: dict[str, Any] = final.document
        return document

    def join(self, **fields: Any) -> dict[str, Any]:
        return self.command("join", meeting={"id": "giao-ban"}, **fields)

    def states(self) -> list[dict[str, Any]]:
        return [seen.document for seen in self.hub.on(f"{self.topic}/state")]

    def phases(self) -> list[str]:
        """Every phase that was published, repeats left out."""
        return [phase for phase, _ in itertools.groupby(s["phase"] for s in self.states())]

    def wait_state(self, seconds: float = MEDIA_PROCESS_SECONDS, **wanted: Any) -> dict[str, Any]:
        """Until the newest state document has these values."""

        def found() -> dict[str, Any] | None:
            newest = (self.states() or [{}])[-1]
            return newest if all(newest.get(k) == v for k, v in wanted.items()) else None

        tail = self.room.log_tail
        try:
            state: dict[str, Any] = wait_until(found, f"state {wanted}", seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}; states: {self.states()[-3:]}; log: {tail()}") from error
        return state

    def health(self) -> dict[str, Any]:
        """The newest health document."""
        document: dict[str, Any] = self.hub.on(f"{self.topic}/health")[-1].document
        return document

    def events(self, type: str) -> list[dict[str, Any]]:
        return [seen.document for seen in self.hub.on(f"{self.topic}/event/{type}")]

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.room.pid).children(recursive=True)

    def media_process(self) -> psutil.Process:
        (process,) = self.children()
        return process


@pytest.fixture(scope="module")
def broker(tmp_path_factory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(scope="module")
def media_server() -> Iterator[MediaServer]:
    with MediaServer() as server:
        yield server


@pytest.fixture
def room(tmp_path: Path, broker: Broker, media_server: MediaServer) -> Iterator[Room]:
    """A room that only publishes (nobody else is in its meetings), not yet started."""
    room = Room("room-a", "Phòng A", tmp_path / "room")
    room.use_hub(broker.port, f"test/{os.getpid()}/{tmp_path.name}")
    room.settings["media"] |= {
        "publish_url": f"{media_server.url}/{{meeting}}-{tmp_path.name}/whip",
        "play_urls": [],
    }
    yield room
    room.stop()


@pytest.fixture
def site(room: Room, broker: Broker) -> Iterator[Site]:
    """The room, started and online."""
    root = room.settings["hub"]["topic_root"]
    with Hub(broker.port, [f"{root}/#"]) as hub:
        room.start()
        room.wait_online()
        yield Site(room, hub, f"{root}/room/{room.id}")


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
