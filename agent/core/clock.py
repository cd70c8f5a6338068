"""The one notion of time that the core gets: handed in with every event, never read."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Now(Struct, frozen=True):
    """An instant on both clocks.

    `monotonic_seconds` is for deadlines and never jumps; `wall` (aware, UTC) is for documents and
    expiry, and is only to be believed when `synchronised`.
    """

    monotonic_seconds: float
    wall: datetime
    synchronised: bool = True
