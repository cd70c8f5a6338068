"""A hub of which everything is real but the devices: broker, media server with its tokens checked, conductor, rooms."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tests.support.assembly import Assembly, Found
from tests.support.broker import Broker, free_port
from tests.support.hub_site import HubSite
from tests.support.media_server import MediaServer
from tests.support.waiting import wait_for

PATIENCE_SECONDS = 60.0


class RealHub(NamedTuple):
    """`assembly` says who is found where."""

    site: HubSite
    assembly: Assembly
    server: MediaServer

    def wait_for_all(self, meeting: str) -> None:
        """Until everybody is in it."""
        conductor = self.site.conductor
        wait_for(
            lambda: set(conductor.statuses(meeting).values()) == {"present"},
            PATIENCE_SECONDS,
            f"all are in {meeting}",
        )

    def wait_for_floor(self, chair: str, holder: str) -> None:
        """Until every room sees and hears the right ones, and nobody else. Raises AssertionError saying what is wrong."""
        rooms = self.site.rooms
        wanted = {room: Found.only({chair, holder} - {room}) for room in rooms}
        found: dict[str, Found] = {}

        def right() -> bool:
            found.update((id, self.assembly.found(room)) for id, room in rooms.items())
            return found == wanted

        try:
            wait_for(right, PATIENCE_SECONDS, "everybody sees and hears the right ones")
        except AssertionError as error:
            wrong = {room: one for room, one in found.items() if one != wanted[room]}
            raise AssertionError(f"{holder} has the floor: {wrong}") from error


@contextmanager
def real_hub(folder: Path, rooms: Sequence[str]) -> Iterator[RealHub]:
    """These rooms are online, and the conductor has its link."""
    page_port = free_port()
    with (
        Broker(folder / "broker") as broker,
        MediaServer(jwks=f"http://127.0.0.1:{page_port}/jwks.json") as server,
    ):
        site, assembly = HubSite(folder, broker, server.url), Assembly()
        site.conductor.settings["console"] = {"port": page_port}
        try:
            for id in rooms:
                room = site.make_room(id)
                assembly.enlist(room)
                room.start()
            for room in site.rooms.values():
                room.wait_online(60)
            site.conductor.start()
            site.conductor.wait_linked(60)
            yield RealHub(site, assembly, server)
        finally:
            site.close()
