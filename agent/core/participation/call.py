"""An urgent call: the room rings until somebody presses its button or the time is over, then it joins.

Ringing opens the loudspeaker and the screen, never a microphone or a camera.
"""

from __future__ import annotations

from msgspec import Struct, structs

from agent.core.context import Context
from agent.core.devices.microphone import MicrophoneControl
from agent.core.meeting.control import MeetingControl
from agent.core.model.announcement import Called
from agent.core.model.clock import Now
from agent.core.model.commands import AckDetail, AckState, Call, Code, Command
from agent.core.model.deadlines import RingOver
from agent.core.model.documents import EventDetail
from agent.core.model.effects import CancelDeadline, SetDeadline
from agent.core.participation.announcements import Announcements


class Ring(Struct):
    """The call that rings, and since when."""

    command: Command
    call: Call
    since_seconds: float


class UrgentCall:
    """At most one rings at a time."""

    def __init__(
        self,
        context: Context,
        meeting: MeetingControl,
        announcements: Announcements,
        microphone: MicrophoneControl,
    ) -> None:
        self._context = context
        self._do = context.do
        self._answers = context.answers
        self._meeting = meeting
        self._lifecycle = meeting.lifecycle
        self._announcements = announcements
        self._microphone = microphone
        self._ring: Ring | None = None

    @property
    def ringing(self) -> bool:
        """Whether a press of the button is an answer."""
        return self._ring is not None

    def refusal(self, call: Call, now: Now) -> tuple[Code, str] | None:
        """Why this can't be done as things stand."""
        profile, ring = self._context.profile, self._ring
        if not (profile.has_screen or {"speaker", "panel"} & profile.fitted):
            text = "The room has nothing to call people with: no screen, loudspeaker or lamp"
            return Code.DEVICE_ABSENT, text
        if ring and ring.call.meeting.id != call.meeting.id and not call.replace:
            text = f"The room is called to meeting {ring.call.meeting.id} already: replace: true calls it to this one"
            return Code.BUSY, text
        return self._meeting.impossible(call, now)

    def begin(self, command: Command, call: Call, now: Now) -> None:
        """Ring; another call that rings is over with that."""
        self.withdraw("another call took its place", now)
        self._ring = Ring(command, call, now.monotonic_seconds)
        self._answers.running(command.id, f"calling for {call.ring_seconds:g} s", now)
        self._do(SetDeadline(RingOver(), call.ring_seconds))
        volume = self._microphone.volume if call.volume is None else call.volume
        self._announcements.set(
            "call",
            Called(
                title=call.meeting.title or call.meeting.id,
                text=call.text or "",
                caller=call.caller or "",
                chime="speaker" in self._context.profile.fitted,
                volume=volume,
            ),
        )

    def answered(self, now: Now) -> None:
        """Somebody pressed the button."""
        if ring := self._end():
            seconds = round(now.monotonic_seconds - ring.since_seconds, 3)
            detail = structs.replace(_detail(ring), seconds=seconds)
            text = f"somebody answered the call to meeting {ring.call.meeting.id}"
            self._context.tell("call-answered", Code.OK, text, now, detail=detail)
            answered = AckDetail(answered=True, answered_at=now.wall)
            self._answers.note(ring.command.id, answered)
            self._meeting.enter(ring.command, ring.call, now, replace=True)

    def over(self, now: Now) -> None:
        """Nobody came in time."""
        ring = self._end()
        if ring is None:
            return
        call, command = ring.call, ring.command
        text = f"nobody answered the call to meeting {call.meeting.id}"
        self._context.tell("call-unanswered", Code.UNANSWERED, text, now, detail=_detail(ring))
        self._answers.note(command.id, AckDetail(answered=False))
        elsewhere = self._lifecycle.elsewhere(call.meeting.id)
        if call.then == "nothing":
            self._answers.fail(command.id, Code.UNANSWERED, text, now)
        elif elsewhere and not call.replace:
            text += f"; the room stays in meeting {elsewhere}"
            self._answers.fail(command.id, Code.UNANSWERED, text, now)
        else:
            self._meeting.enter(command, call, now, replace=call.replace, heard=False)

    def left(self, meeting: str | None, now: Now) -> bool:
        """A leave came: it ends a call to that meeting, or to any. Whether it did."""
        ring = self._ring
        if ring is None or meeting not in (None, ring.call.meeting.id):
            return False
        self.withdraw("a leave came before anybody answered", now)
        return True

    def withdraw(self, text: str, now: Now) -> None:
        """It rings no more, and whoever called is told why."""
        if ring := self._end():
            command_id = ring.command.id
            self._answers.finish(command_id, AckState.SUPERSEDED, Code.WITHDRAWN, text, now)

    def _end(self) -> Ring | None:
        ring, self._ring = self._ring, None
        if ring:
            self._do(CancelDeadline(RingOver()))
            in_meeting = self._lifecycle.membership is not None
            self._announcements.clear("call", in_meeting=in_meeting)
        return ring


def _detail(ring: Ring) -> EventDetail:
    return EventDetail(command=ring.command.id, meeting=ring.call.meeting.id)
