"""A real broker, real rooms whose media process is the tests' stand-in, and a real conductor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.broker import Broker
from tests.support.conductor import ConductorProcess
from tests.support.room import Room

MEDIA_URL = "http://127.0.0.1:9"
"""Nobody listens there: the stand-in says that media flow."""


class Hub:
    """Broker, rooms and a conductor, all of them processes."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self.folder = folder
        self.broker = broker
        self.rooms: dict[str, Room] = {}
        self.conductor = self.make_conductor("hub")

    def make_conductor(self, name: str) -> ConductorProcess:
        return ConductorProcess(self.folder / name, self.broker.port, MEDIA_URL, name)

    def add_room(self, id: str) -> Room:
        room = self.rooms[id] = Room(id, f"Phòng {id}", self.folder / id)
        room.use_hub(self.broker.port, "diemcau/v1")
        room.settings["media"] |= {"publish_url": f"{MEDIA_URL}/x/whip", "play_urls": []}
        self.start_room(room)
        return room

    def start_room(self, room: Room, child: str = "meeting") -> None:
        room.folder.mkdir(parents=True, exist_ok=True)
        steps = str(room.folder / "steps")
        room.start(entry=("tests.support.crashing", steps, "--child", child))
        room.wait_online(30)

    def meeting_of(self, id: str) -> str | None:
        meeting = self.rooms[id].ask(type="status")["state"]["meeting"]
        return meeting["id"] if meeting else None

    def close(self) -> None:
        self.conductor.stop()
        for room in self.rooms.values():
            room.stop()


@pytest.fixture
def make_hub(tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    """`make_hub("a", "b")`: these rooms online, and a conductor that sees them."""
    made: list[Hub] = []
    with Broker(tmp_path / "broker", persistent=True) as broker:

        def make(*rooms: str) -> Hub:
            hub = Hub(tmp_path, broker)
            made.append(hub)
            for room in rooms:
                hub.add_room(room)
            hub.conductor.start()
            hub.conductor.wait_linked()
            return hub

        yield make
        for hub in made:
            hub.close()
