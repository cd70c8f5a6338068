"""The time that a meeting may take: until its `until` and a little longer."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from agent.core.clock import Now
from agent.core.commands import Join
from agent.core.effects import CancelDeadline, Effect, SetDeadline
from agent.core.events import MeetingRecord

WINDOW = "meeting-window"

CHECK_SECONDS = 60.0
"""The end is looked up this often, since the wall clock may jump."""

GRACE = timedelta(minutes=1)
MAX_MEETING = timedelta(hours=12)
"""A meeting without `until` is not resumed after this long."""


class Window:
    """When the room leaves by itself; `until` None is never."""

    def __init__(self, do: Callable[[Effect], None]) -> None:
        self._do = do
        self.until: datetime | None = None

    def open(self, until: datetime | None, now: Now) -> None:
        """The meeting ends then; replaces an earlier end."""
        self.until = until
        self._do(CancelDeadline(WINDOW))
        if until is not None:
            left = (until + GRACE - now.wall).total_seconds()
            self._do(SetDeadline(WINDOW, min(max(left, 0.1), CHECK_SECONDS)))

    def close(self) -> None:
        """The room is in no meeting."""
        self.until = None
        self._do(CancelDeadline(WINDOW))

    def over(self, now: Now) -> bool:
        """Whether the time is up; if not, it is looked up again."""
        if self.until is None or now.wall < self.until + GRACE:
            self.open(self.until, now)
            return False
        return True


def can_resume(record: MeetingRecord, now: Now) -> bool:
    """Whether a meeting of before a restart still goes on."""
    join = record.command.body
    assert isinstance(join, Join)
    since = datetime.fromtimestamp(record.since_wall, UTC)
    return now.wall < (join.until + GRACE if join.until else since + MAX_MEETING)
