"""A join that failed is tried again by itself while its meeting's window lasts, at growing intervals.

The command has its final answer by then, `failed`; what is tried again is the meeting. A leave, another join
and the window's end end it. The agenda's joins are the agenda's to repeat.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct

from agent.core.again import PAUSES_SECONDS, pause_seconds
from agent.core.context import Context
from agent.core.model.clock import Now
from agent.core.model.commands import Code, Command, Join, Origin
from agent.core.model.deadlines import JoinAgain
from agent.core.model.documents import EventDetail, RetryState
from agent.core.model.effects import CancelDeadline, RememberMeeting, SetDeadline
from agent.core.model.events import MeetingRecord

OPEN_END_SECONDS = 3600.0
"""For so long a meeting without `until` is tried."""

BUSY_SECONDS = 1.0
"""The room is still leaving: looked at again so soon."""


class Plan(Struct, frozen=True):
    """What is tried, until when, and why the last try failed."""

    command: Command
    join: Join
    since: datetime
    last_seconds: float
    """Monotonic; no try begins after that."""
    tries: int
    code: Code
    text: str
    at: datetime
    pause_seconds: float

    @property
    def meeting(self) -> str:
        return self.join.meeting.id

    def over(self, now: Now) -> bool:
        """Whether the window is closed."""
        until = self.join.until
        return now.monotonic_seconds > self.last_seconds or (until is not None and until < now.wall)


class Retry:
    """At most one meeting is tried again."""

    def __init__(self, context: Context) -> None:
        self._room = context.profile.room
        self._do = context.do
        self._tell = context.tell
        self._plan: Plan | None = None
        self.trying = False
        """A try is under way, else the room waits for the next one."""

    @property
    def waiting(self) -> Plan | None:
        """What will be tried after the pause that goes on now."""
        return None if self.trying else self._plan

    @property
    def meeting(self) -> str | None:
        """The meeting that is tried again and again."""
        return self._plan.meeting if self._plan else None

    @property
    def state(self) -> RetryState | None:
        """For the room's state."""
        plan = self._plan
        if plan is None:
            return None
        meeting = plan.join.meeting
        at = None if self.trying else plan.at
        return RetryState(meeting.id, meeting.title, plan.tries, at, plan.code, plan.text)

    def plan(self, command: Command, join: Join, code: Code, text: str, now: Now) -> Plan | None:
        """The next try after this failure; None if there is none any more."""
        before = self._plan
        if command.origin is Origin.AGENDA:
            return None
        tries = before.tries + 1 if before else 1
        pause = pause_seconds(tries, self._room)
        last = before.last_seconds if before else self._last_seconds(join, now.wall, now)
        since = before.since if before else now.wall
        at = now.after(pause)
        found = Plan(command, join, since, last, tries, code, text, at.wall, round(pause, 3))
        if not found.over(at):
            return found
        if before is not None:
            self._give_up(found, now)
        return None

    def arm(self, plan: Plan) -> None:
        """Wait for the next try; it survives a restart."""
        self._plan, self.trying = plan, False
        self._do(SetDeadline(JoinAgain(), plan.pause_seconds))
        record = MeetingRecord(plan.command, plan.since.timestamp(), retrying=True)
        self._do(RememberMeeting(record))

    def resume(self, record: MeetingRecord, since: datetime, now: Now) -> None:
        """The daemon was started anew meanwhile: the next try is soon."""
        join = record.command.body
        assert isinstance(join, Join)
        last = self._last_seconds(join, since, now)
        pause = PAUSES_SECONDS[0]
        text = "the agent was started anew"
        at = now.after(pause).wall
        plan = Plan(record.command, join, since, last, 1, Code.INTERRUPTED, text, at, pause)
        self.arm(plan)

    def due(self, now: Now, *, free: bool) -> Plan | None:
        """The pause is over: what shall be joined now. Not `free`: the room has not left yet."""
        plan = self.waiting
        if plan is None:
            return None
        if plan.over(now):
            self._give_up(plan, now)
            self.withdraw()
            self._do(RememberMeeting(None))
            return None
        if not free:
            self._do(SetDeadline(JoinAgain(), BUSY_SECONDS))
            return None
        tries = plan.tries + 1
        detail = EventDetail(command=plan.command.id, meeting=plan.meeting, attempt=tries)
        text = f"joining meeting {plan.meeting} again, attempt {tries}"
        self._tell("joining-again", plan.code, text, now, detail=detail)
        self.trying = True
        return plan

    def begun(self, command: Command) -> None:
        """This join is under way: any other one takes the place of what was tried again."""
        if self._plan is not None and self._plan.command.id != command.id:
            self.withdraw()

    def withdraw(self) -> None:
        """Nothing is tried any more."""
        self._plan, self.trying = None, False
        self._do(CancelDeadline(JoinAgain()))

    def _give_up(self, plan: Plan, now: Now) -> None:
        text = f"not in meeting {plan.meeting}, and its time is over: {plan.text}"
        detail = EventDetail(command=plan.command.id, meeting=plan.meeting, attempt=plan.tries)
        self._tell("join-given-up", plan.code, text, now, detail=detail)

    def _last_seconds(self, join: Join, since: datetime, now: Now) -> float:
        ends = join.until or since + timedelta(seconds=OPEN_END_SECONDS)
        return now.monotonic_seconds + (ends - now.wall).total_seconds()
