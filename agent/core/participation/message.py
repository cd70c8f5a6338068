"""A message on the room's screen, and the room's answer by its button."""

from __future__ import annotations

import unicodedata
from datetime import timedelta

from msgspec import Struct

from agent.core.context import Context
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.model.announcement import Message
from agent.core.model.cleaning import clean
from agent.core.model.clock import Now
from agent.core.model.commands import AckState, Code, Command, Hide, Show
from agent.core.model.deadlines import AnnouncementLate, MessageOver
from agent.core.model.documents import EventDetail
from agent.core.model.effects import CancelDeadline, RememberMessage, SetDeadline
from agent.core.model.events import MessageRecord
from agent.core.participation.announcements import Announcements

SHOWN_SECONDS = 15.0
"""A Pi needs five to load GStreamer and ten at the worst to light a screen."""


class Shown(Struct):
    """What stands on the screen, by the id of its command."""

    id: str
    show: Show


class Messages:
    """At most one is shown; a new one replaces it."""

    def __init__(
        self, context: Context, lifecycle: Lifecycle, announcements: Announcements
    ) -> None:
        self._context = context
        self._do = context.do
        self._answers = context.answers
        self._lifecycle = lifecycle
        self._announcements = announcements
        self._shown: Shown | None = None

    @property
    def asks(self) -> str:
        """The id of the message that waits for an answer; empty if none does."""
        return self._shown.id if self._shown and self._shown.show.answers else ""

    @property
    def choices(self) -> int:
        """How many answers there are to choose from."""
        return len(self._shown.show.answers) if self._shown else 0

    def refusal(self, show: Show) -> tuple[Code, str] | None:
        """Why this can't be shown."""
        read = {unicodedata.normalize("NFC", clean(answer)).casefold() for answer in show.answers}
        if len(read) < len(show.answers):
            text = f"answers: both read {show.answers[0]!r}; nobody could tell them apart"
            return Code.BAD_FIELD, text
        if not self._context.profile.has_screen:
            return Code.DEVICE_ABSENT, "The room has no screen (devices.display.output)"
        return None

    def show(self, command: Command, show: Show, now: Now) -> None:
        """Show it; answered when the media process has it on the screen."""
        self._end("another message took its place", now)
        until = None
        if show.seconds is not None:
            until = now.wall + timedelta(seconds=show.seconds)
        self._do(RememberMessage(MessageRecord(command.id, show, until)))
        self._put(command.id, show, show.seconds)

    def restore(self, record: MessageRecord | None, now: Now) -> None:
        """What stood there before the restart stands there again, unless its time is over."""
        if record is None:
            return
        left = (record.until - now.wall).total_seconds() if record.until else None
        if self.refusal(record.show) or (left is not None and left <= 0):
            self._do(RememberMessage(None))
            return
        self._put(record.id, record.show, left)

    def awaited_by(self, command_id: str) -> bool:
        """Whether this command is answered when the screen has it."""
        return self._shown is not None and self._shown.id == command_id

    def _put(self, command_id: str, show: Show, seconds: float | None) -> None:
        self._shown = Shown(command_id, show)
        if seconds is not None:
            self._do(SetDeadline(MessageOver(), seconds))
        self._do(SetDeadline(AnnouncementLate(command_id), SHOWN_SECONDS))
        self._announcements.set(
            "message", Message(command_id, show.text, show.level, tuple(show.answers))
        )

    def applied(self, request: str, error: str, now: Now) -> None:
        """The media process has it on the screen, or (with `error`) could not."""
        shown = self._shown
        if shown is None or shown.id != request:
            return
        self._do(CancelDeadline(AnnouncementLate(request)))
        if not error:
            self._answers.succeed(request, "shown", now)
        elif request in self._answers.open:
            self._answers.fail(request, Code.DEVICE_FAILED, error, now)
            self._end("", now)

    def late(self, request: str, now: Now) -> None:
        """The media process did not answer in time."""
        self.applied(request, "The screen did not show it in time", now)

    def over(self, now: Now) -> None:
        """It was shown for long enough."""
        self._end("its time was over before it was on the screen", now)

    def hide(self, command_id: str, hide: Hide, now: Now) -> None:
        """Show nothing, or not that one."""
        shown = self._shown
        if shown is None or hide.show not in (None, shown.id):
            self._answers.succeed(command_id, "was not shown", now, code=Code.ALREADY)
            return
        self._end("it was hidden before it was on the screen", now)
        self._answers.succeed(command_id, f"{shown.id} is not shown any more", now)

    def answered(self, choice: int, now: Now) -> None:
        """Somebody pressed the button for this answer; the message has served."""
        if shown := self._shown:
            answer = shown.show.answers[choice]
            detail = EventDetail(show=shown.id, answer=answer, choice=choice + 1)
            self._context.tell("show-answered", Code.OK, answer, now, detail=detail)
            self._end("it was answered before it was on the screen", now)

    def _end(self, text: str, now: Now) -> None:
        shown, self._shown = self._shown, None
        if shown is None:
            return
        self._do(RememberMessage(None))
        self._do(CancelDeadline(MessageOver()))
        self._do(CancelDeadline(AnnouncementLate(shown.id)))
        state, code = AckState.SUPERSEDED, Code.WITHDRAWN
        self._answers.finish(shown.id, state, code, text, now)
        in_meeting = self._lifecycle.membership is not None
        self._announcements.clear("message", in_meeting=in_meeting)
