"""The one notion of time that the core gets: handed in with every event, never read."""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct, structs

CLOCKS_APART = timedelta(minutes=10)
"""Two clocks that are set may differ. What comes from further ahead would be forgotten before it expires, or keep what is
newer from counting."""


class Now(Struct, frozen=True):
    """An instant on both clocks.

    `monotonic_seconds` is for deadlines and never jumps; `wall` (aware, UTC) is for documents and
    expiry, and is only to be believed when `synchronised`.
    """

    monotonic_seconds: float
    wall: datetime
    synchronised: bool = True
    not_before: datetime | None = None
    """While the clock is not set: the time that it can't be earlier than, by the last good one."""

    def after(self, seconds: float) -> Now:
        """The instant that comes then, if nobody sets the clock."""
        wall = self.wall + timedelta(seconds=seconds)
        return structs.replace(self, monotonic_seconds=self.monotonic_seconds + seconds, wall=wall)


class ClockSetting:
    """Notices that the wall clock was set: what was stamped before then was wrong by as much."""

    def __init__(self) -> None:
        self._doubted: datetime | None = None
        """Where the monotonic clock's zero lay on the wall clock that was not to be believed."""

    def correction(self, now: Now) -> timedelta:
        """What to add to the times stamped before; not zero once at the most."""
        zero = now.wall - timedelta(seconds=now.monotonic_seconds)
        if not now.synchronised:
            self._doubted = zero
            return timedelta()
        doubted, self._doubted = self._doubted, None
        return zero - doubted if doubted is not None else timedelta()
