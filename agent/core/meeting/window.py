"""The time that a meeting may take: until its `until` and a little longer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.core.context import Context
from agent.core.model.clock import Now
from agent.core.model.commands import Join
from agent.core.model.deadlines import MeetingEndDue
from agent.core.model.effects import CancelDeadline, SetDeadline
from agent.core.model.events import MeetingRecord

CHECK_SECONDS = 60.0
"""The end is looked up this often, since the wall clock may jump."""

GRACE = timedelta(minutes=1)
SET_BACK = timedelta(days=1)
"""No clock is put right by so much once it has been set."""

MAX_MEETING = timedelta(hours=12)
"""A meeting without `until` is not resumed after this long."""


class Window:
    """When the room leaves by itself; `until` None is never.

    A machine without a clock may have resumed a meeting of days ago: one that was `resumed` by a
    clock not yet synchronised is judged again when it is.
    """

    def __init__(self, context: Context) -> None:
        self._do = context.do
        self._doubted_since: datetime | None = None
        self._opened: Now | None = None
        """When the end was set, by a clock that was to be believed."""
        self.until: datetime | None = None

    def open(
        self, until: datetime | None, now: Now, *, resumed_since: datetime | None = None
    ) -> None:
        """The meeting ends then; replaces an earlier end. `resumed_since` is when it began."""
        if until != self.until or self._opened is None:
            self._opened = now if now.synchronised else None
        self.until = until
        self._doubted_since = None if now.synchronised else resumed_since
        self._do(CancelDeadline(MeetingEndDue()))
        if until is None and self._doubted_since is not None:
            self._do(SetDeadline(MeetingEndDue(), CHECK_SECONDS))
        if until is not None:
            left = (
                until - self._time(now) + GRACE
            ).total_seconds()  # until + GRACE may be past year 9999
            self._do(SetDeadline(MeetingEndDue(), min(max(left, 0.1), CHECK_SECONDS)))

    def close(self) -> None:
        """The room is in no meeting."""
        self.until = self._opened = None
        self._do(CancelDeadline(MeetingEndDue()))

    def _time(self, now: Now) -> datetime:
        """The time to judge the end by: a clock that was set back by days does not keep the room in its meeting for as
        long."""
        if self._opened is None:
            return now.wall
        expected = self._opened.after(now.monotonic_seconds - self._opened.monotonic_seconds).wall
        return expected if expected - now.wall > SET_BACK else now.wall

    def over(self, now: Now) -> bool:
        """Whether the time is up; if not, it is looked up again."""
        since = self._doubted_since
        if self.until is None and since is not None and now.synchronised:
            self._doubted_since = None
            return now.wall - since >= MAX_MEETING
        if self.until is None or self._time(now) - self.until < GRACE:
            self.open(self.until, now, resumed_since=since)
            return False
        return True


def can_resume(record: MeetingRecord, now: Now) -> bool:
    """Whether a meeting of before a restart still goes on."""
    join = record.command.body
    assert isinstance(join, Join)
    since = datetime.fromtimestamp(record.since_wall, UTC)
    return now.wall - join.until < GRACE if join.until else now.wall - since < MAX_MEETING
