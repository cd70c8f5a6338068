"""A running daemon for the bench."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.support.room import Room

TOPIC_ROOT = "diemcau/v1"


@contextlib.contextmanager
def running_room(folder: Path, hub_port: int) -> Iterator[Room]:
    """A room of the demo's settings that is online at this hub."""
    room = Room("bench-room", "Bench", folder / "room")
    room.use_hub(hub_port, TOPIC_ROOT)
    room.start()
    try:
        room.wait_online()
        yield room
    finally:
        room.stop()
