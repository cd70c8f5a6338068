"""A hub of real processes: broker, conductor and rooms, whose media process is a stand-in or the real one."""

from __future__ import annotations

from pathlib import Path

from tests.support.broker import Broker
from tests.support.conductor import ConductorProcess
from tests.support.room import Room

MEDIA_URL = "http://127.0.0.1:9"
"""Nobody listens there: the stand-in says that media flow."""


class HubSite:
    """Broker, rooms and a conductor, all of them processes."""

    def __init__(self, folder: Path, broker: Broker, media_url: str = MEDIA_URL) -> None:
        self.folder = folder
        self.broker = broker
        self.media_url = media_url
        self.rooms: dict[str, Room] = {}
        self.conductor = self.make_conductor("hub")

    def make_conductor(self, name: str) -> ConductorProcess:
        return ConductorProcess(self.folder / name, self.broker.port, self.media_url, name)

    def add_room(self, id: str) -> Room:
        room = self.make_room(id)
        self.start_room(room)
        return room

    def make_room(self, id: str) -> Room:
        """Not started yet."""
        room = self.rooms[id] = Room(id, f"Phòng {id}", self.folder / id)
        room.use_hub(self.broker.port, "diemcau/v1")
        room.settings["media"] |= {"publish_url": f"{self.media_url}/x/whip", "play_urls": []}
        return room

    def start_room(self, room: Room, media_process: str = "meeting") -> None:
        room.folder.mkdir(parents=True, exist_ok=True)
        steps = str(room.folder / "steps")
        room.start(entry=("tests.support.crashing", steps, "--media-process", media_process))
        room.wait_online(30)

    def meeting_of(self, id: str) -> str | None:
        meeting = self.rooms[id].ask(type="status")["state"]["meeting"]
        return meeting["id"] if meeting else None

    def holds_floor(self, id: str) -> bool:
        return bool(self.rooms[id].ask(type="status")["state"]["floor"]["held"])

    def close(self) -> None:
        self.conductor.stop()
        for room in self.rooms.values():
            room.stop()
