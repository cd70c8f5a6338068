"""Who waits for a meeting's way in and way out: joins, leaves, and the join that comes after a leave."""

from __future__ import annotations

from agent.core.answers import NOTHING_MORE
from agent.core.context import Context
from agent.core.model.clock import Now
from agent.core.model.commands import AckDetail, AckState, Code, Command, Join
from agent.core.model.deadlines import JoinLate, SourcesLate
from agent.core.model.effects import CancelDeadline, SetDeadline

SETTLE_SECONDS = 1.0
"""How long a join that has enough waits for the rest of its sources before it says which miss."""


class Arrival:
    """Answers them when the meeting flows both ways, or when it won't."""

    def __init__(self, context: Context) -> None:
        self._do = context.do
        self._answers = context.answers
        self._waiting: list[str] = []
        self._due: dict[str, float] = {}
        """When a join's own time is over, in monotonic seconds; of those that came in the meeting."""
        self._settling = False

    def begin(self, command_id: str, timeout_seconds: float) -> None:
        """On the way in. A join that was answered before a restart waits for nothing."""
        self._settling = False
        self._waiting = [command_id] if command_id in self._answers.open else []
        self._do(SetDeadline(JoinLate(), timeout_seconds))

    def wait(self, command_id: str) -> None:
        """This join of the same meeting is answered with the first."""
        self._waiting.append(command_id)

    def change(self, command_id: str, timeout_seconds: float) -> None:
        """This join of the meeting that the room is in is answered when all of it is true."""
        self._settling = False
        self._waiting.append(command_id)
        self._do(SetDeadline(JoinLate(), timeout_seconds))

    def change_in_meeting(self, command_id: str, timeout_seconds: float, now: Now) -> None:
        """As `change`; and one that came before keeps its own time, however often another one comes."""
        self.change(command_id, timeout_seconds)
        self._due = {one: at for one, at in self._due.items() if one in self._waiting}
        self._due[command_id] = now.monotonic_seconds + timeout_seconds
        self._do(SetDeadline(JoinLate(), min(self._due.values()) - now.monotonic_seconds))

    def some_have_time(
        self, code: Code, text: str, now: Now, detail: AckDetail = NOTHING_MORE
    ) -> bool:
        """Whether somebody may still wait; if so, those whose time is over are told that it has failed."""
        late = {one for one in self._waiting if self._due.get(one, 0.0) <= now.monotonic_seconds}
        left = [one for one in self._waiting if one not in late]
        if not left:
            return False
        self._waiting = [one for one in self._waiting if one in late]
        self.failed(code, text, now, detail)
        self._waiting = left
        due = min(self._due[one] for one in left)
        self._do(SetDeadline(JoinLate(), due - now.monotonic_seconds))
        return True

    def awaited_by(self, command_id: str) -> bool:
        """Whether this command is answered when the room is in."""
        return command_id in self._waiting

    @property
    def awaited(self) -> bool:
        """Whether anybody waits for it."""
        return bool(self._waiting)

    def settle(self, seconds: float = SETTLE_SECONDS) -> None:
        """Enough is there; the rest of the sources gets a moment more, once."""
        if not self._settling:
            self._settling = True
            self._do(SetDeadline(SourcesLate(), seconds))

    def withdraw(self, text: str, now: Now) -> None:
        """The joins have become pointless."""
        for command_id in self._waiting:
            self._answers.finish(command_id, AckState.SUPERSEDED, Code.WITHDRAWN, text, now)
        self._waiting.clear()

    def arrived(self, meeting: str, detail: AckDetail, now: Now) -> None:
        """The room is in."""
        self.end()
        for command_id in self._waiting:
            self._answers.succeed(command_id, f"in meeting {meeting}", now, detail=detail)
        self._waiting.clear()

    def failed(self, code: Code, text: str, now: Now, detail: AckDetail) -> None:
        """The room won't get in."""
        for command_id in self._waiting:
            self._answers.fail(command_id, code, text, now, detail)
        self._waiting.clear()

    def end(self) -> None:
        """The time that it may take does not matter any more."""
        self._do(CancelDeadline(JoinLate()))
        self._do(CancelDeadline(SourcesLate()))


class Departure:
    """Answers them when the media process is gone, or when it won't go."""

    def __init__(self, context: Context) -> None:
        self._answers = context.answers
        self._leavers: list[str] = []
        self._next: Command | None = None

    def wait(self, command_id: str) -> None:
        """This leave is answered when the room has left."""
        self._leavers.append(command_id)

    def follow_with(self, command: Command) -> None:
        """This join begins when the room has left."""
        self._next = command

    @property
    def following(self) -> Command | None:
        """The join that begins when the room has left."""
        return self._next

    @property
    def next_meeting(self) -> str | None:
        """The meeting that takes the place of the one being left, if one does."""
        body = self._next.body if self._next else None
        return body.meeting.id if isinstance(body, Join) else None

    def withdraw_next(self, text: str, now: Now) -> None:
        """No meeting shall follow any more."""
        if self._next is not None:
            self._answers.finish(self._next.id, AckState.SUPERSEDED, Code.WITHDRAWN, text, now)
        self._next = None

    def left(self, meeting: str, now: Now) -> Command | None:
        """The room has left; returns the join that begins now."""
        for command_id in self._leavers:
            self._answers.succeed(command_id, f"left {meeting}; devices are closed", now)
        self._leavers.clear()
        following, self._next = self._next, None
        return following

    def stuck(self, text: str, now: Now) -> None:
        """The room cannot leave: nobody is kept waiting."""
        for command_id in [*self._leavers, *([self._next.id] if self._next else [])]:
            self._answers.fail(command_id, Code.DEVICE_FAILED, text, now)
        self._leavers.clear()
        self._next = None
