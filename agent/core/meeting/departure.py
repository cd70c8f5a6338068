"""Who waits for the end of a stay: the leave commands, and the join that comes after it."""

from __future__ import annotations

from agent.core.answers import Answers
from agent.core.model.clock import Now
from agent.core.model.commands import AckState, Code, Command, Join


class Departure:
    """Answers them when the media child is gone, or when it won't go."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self._leavers: list[str] = []
        self._next: Command | None = None

    def wait(self, command_id: str) -> None:
        """This leave is answered when the room has left."""
        self._leavers.append(command_id)

    def follow_with(self, command: Command) -> None:
        """This join begins when the room has left."""
        self._next = command

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
