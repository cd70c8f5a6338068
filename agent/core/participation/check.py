"""The doctor by command: a process of its own looks at the room, and gives way to a meeting at once."""

from __future__ import annotations

from msgspec import structs

from agent.core.audit import asked_by
from agent.core.context import Context
from agent.core.devices.lamp import Lamp
from agent.core.health import HealthBoard
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.model.announcement import Checking
from agent.core.model.clock import Now
from agent.core.model.commands import AckDetail, AckState, Check, Code, Command, Origin
from agent.core.model.deadlines import CheckLate
from agent.core.model.documents import EventDetail, Phase
from agent.core.model.effects import CancelDeadline, SetDeadline, StartCheck, StopCheck
from agent.core.model.events import CheckEnded, DevicesBorrowed
from agent.core.participation.announcements import Announcements

LATE_SECONDS = 90.0
"""On a Pi 4, in proportion on a slower board: the doctor's own limits end it before; this is for one that hangs itself."""


class RoomCheck:
    """At most one runs at a time."""

    def __init__(
        self,
        context: Context,
        lifecycle: Lifecycle,
        health: HealthBoard,
        announcements: Announcements,
        lamp: Lamp,
    ) -> None:
        self._do = context.do
        self._slowness = context.profile.slowness
        self._tell = context.tell
        self._answers = context.answers
        self._lifecycle = lifecycle
        self._health = health
        self._announcements = announcements
        self._lamp = lamp
        self._number = 0
        self._command: Command | None = None
        self._opens = False

    @property
    def opens(self) -> bool:
        """Whether the check that runs may have devices open."""
        return self._opens

    def refusal(self) -> tuple[Code, str] | None:
        """Why this can't be done as things stand."""
        phase = self._lifecycle.phase
        if self._command is not None:
            return Code.BUSY, f"The room is being checked already ({self._command.id})"
        if phase not in (Phase.STANDBY, Phase.IN_MEETING):
            return Code.BUSY, f"The room can't be checked now: it is {phase}; ask again in a moment"
        return None

    def begin(self, command: Command, check: Check, now: Now) -> None:
        """Start the process; in a meeting it opens nothing and asks what the meeting shows."""
        self._command = command
        self._number += 1
        self._opens = self._lifecycle.membership is None
        self._answers.running(command.id, "checking", now)
        if self._opens:
            self._lamp.opened(live=True)
            self._announcements.set("check", Checking())
        self._do(StartCheck(self._number, check))
        self._do(SetDeadline(CheckLate(), LATE_SECONDS * self._slowness))

    def named(self, loan: DevicesBorrowed) -> DevicesBorrowed:
        """A loan to the check's process is to whoever ordered the check, for the audit."""
        if self._command is None or not self._opens:
            return loan
        return structs.replace(loan, sender=f"{asked_by(self._command)}, check {self._command.id}")

    def ended(self, event: CheckEnded, now: Now) -> None:
        """It is done, or its process broke down."""
        if event.number != self._number or self._command is None:
            return
        command = self._finish()
        if event.error:
            if command.origin is Origin.AGENDA:
                text = f"could not be checked before a meeting: {event.error}"
                self._tell("readiness", "unknown", text, now)
            self._answers.fail(command.id, Code.CHECK_FAILED, event.error, now)
            return
        last, devices = self._health.last_check, self._health.devices
        last.ended(event, devices, now)
        self._health.change(now)
        verdict = last.readiness(devices, now).verdict
        if command.origin is Origin.AGENDA:  # nobody waits for an answer: it is told
            told = EventDetail(verdict=verdict, findings=event.findings)
            text = f"checked before a meeting: {verdict}"
            self._tell("readiness", verdict, text, now, detail=told)
        detail = AckDetail(verdict=verdict, findings=event.findings)
        self._answers.succeed(command.id, f"checked: {verdict}", now, detail=detail)

    def give_way(self, now: Now) -> None:
        """A meeting begins: what the check has open is closed before the meeting opens it."""
        if self._command is None or not self._opens:
            return
        self._do(StopCheck())
        command = self._finish()
        text = "a meeting began before the check was done"
        self._answers.finish(command.id, AckState.SUPERSEDED, Code.WITHDRAWN, text, now)

    def late(self, now: Now) -> None:
        """It hangs."""
        if self._command is not None:
            self._do(StopCheck())
            command = self._finish()
            self._answers.fail(command.id, Code.TIMEOUT, "The check did not end in time", now)

    def _finish(self) -> Command:
        assert self._command is not None
        self._do(CancelDeadline(CheckLate()))
        command, self._command = self._command, None
        if self._opens:
            self._opens = False
            self._lamp.closed()
            self._announcements.clear("check", in_meeting=False)
        return command
