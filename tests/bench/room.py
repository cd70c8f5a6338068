"""A running daemon for the bench."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.support.room import Room

TOPIC_ROOT = "diemcau/v1"


@contextlib.contextmanager
def running_room(
    folder: Path,
    hub_port: int,
    prepare: Callable[[Room], None] = lambda room: None,
    environment: dict[str, str] | None = None,
) -> Iterator[Room]:
    """A room of the demo's settings, as `prepare` changes them, that is online at this hub."""
    room = Room("bench-room", "Bench", folder / "room")
    room.use_hub(hub_port, TOPIC_ROOT)
    prepare(room)
    room.start(environment)
    try:
        room.wait_online()
        yield room
    finally:
        room.stop()
