"""When something is tried again: after pauses that grow, each room of a hub at a moment of its own.

All rooms fail in the same second where a server was away, and all have the same agenda. What sets a room apart
is made of its id, so it is the same each time.
"""

from __future__ import annotations

import zlib

PAUSES_SECONDS = (5.0, 10.0, 20.0, 40.0, 60.0)
"""After the first join of a meeting that failed, the second and so on; the last one again and again."""

SPREAD = 0.25
"""By up to this share one room's pauses are longer than another's."""


def pause_seconds(failures: int, room: str) -> float:
    """From the end of a join that failed, the `failures`th in a row, to the next one."""
    return PAUSES_SECONDS[min(failures, len(PAUSES_SECONDS)) - 1] * (1 + SPREAD * share(room))


def share(name: str) -> float:
    """From 0 up to 1: where `name` stands among others."""
    return zlib.crc32(name.encode()) / 2**32
