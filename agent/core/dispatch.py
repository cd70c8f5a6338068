"""The hub's commands: which are refused as things stand, and what the others set in motion.

Join and leave go to `agent.core.meeting.control`; the rest is short enough to be decided here.
"""

from __future__ import annotations

from agent.core.context import Context
from agent.core.devices.display import DisplayPower
from agent.core.ending import Ending
from agent.core.health import HealthBoard
from agent.core.kept_orders import KeptOrders
from agent.core.meeting.control import MeetingControl
from agent.core.model.clock import CLOCKS_APART, Now
from agent.core.model.commands import (
    AckDetail,
    Code,
    Command,
    Display,
    Identify,
    Join,
    Leave,
    Mute,
    Ping,
    Record,
    Report,
    Restart,
    Show,
    Unmute,
    Volume,
)
from agent.core.model.deadlines import ReportLate
from agent.core.model.documents import Phase
from agent.core.model.effects import SetDeadline
from agent.core.model.events import CommandReceived
from agent.core.participation.taking_part import TakingPart

MAX_OPEN = 64
"""Commands that are being worked on at a time: each may have 64 KB of sources and tokens."""

REPORT_SECONDS = 10.0
"""A probe looks at sysfs; one that takes longer hangs in the kernel."""


class Dispatch:
    """Obeys, refuses or repeats."""

    def __init__(
        self,
        context: Context,
        display: DisplayPower,
        taking_part: TakingPart,
        health: HealthBoard,
        meeting: MeetingControl,
        ending: Ending,
    ) -> None:
        self._profile = context.profile
        self._do = context.do
        self._answers = context.answers
        self._display = display
        self._taking_part = taking_part
        self._microphone = taking_part.microphone
        self._health = health
        self._meeting = meeting
        self._lifecycle = meeting.lifecycle
        self._ending = ending
        self.kept = KeptOrders(self._lifecycle)
        self._reporters: list[str] = []

    def received(self, event: CommandReceived, now: Now) -> None:
        """One well-formed command, new or come again."""
        command, delivery = event.command, event.delivery
        if event.known or command.id in self._answers.open:
            self._answers.repeat(command, delivery, event.earlier, now)
            return
        self._answers.warn(command.id, event.unknown_fields)
        if refusal := self._untimely(command, now) or self._too_many(command):
            self._answers.refuse(command, delivery, *refusal, now)
        elif isinstance(command.body, Join):
            command = self.kept.unheard(command, now)
            assert isinstance(command.body, Join)
            self._meeting.join(command, command.body, delivery, now)
        elif isinstance(command.body, Leave):
            ended = self._taking_part.call.left(command.body.meeting, now)
            self._meeting.leave(command, command.body, delivery, now, call_ended=ended)
        elif refusal := self._refusal(command, now) or _unusable(event):
            self._answers.refuse(command, delivery, *refusal, now)
        else:
            self._answers.accept(command, delivery, now)
            if interrupted := self.kept.refusal(command, now):
                self._answers.fail(command.id, *interrupted, now)
            else:
                self._obey(command, now)

    def _untimely(self, command: Command, now: Now) -> tuple[Code, str] | None:
        if command.expires is None and command.issued is None:
            return None
        if not now.synchronised:
            if command.expires is None:
                return None
            if now.not_before is not None and command.expires <= now.not_before:
                return Code.EXPIRED, f"expires: {command.expires.isoformat()} is past"
            return (
                Code.CLOCK_UNSYNCHRONISED,
                "The room's clock is not synchronised yet, so expires can't be judged",
            )
        if command.expires is not None and command.expires <= now.wall:
            return Code.EXPIRED, f"expires: {command.expires.isoformat()} is past"
        if command.issued is not None and command.issued - now.wall > CLOCKS_APART:
            return (
                Code.BAD_FIELD,
                f"issued: {command.issued.isoformat()} is to come; are both clocks set?",
            )
        return None

    def _too_many(self, command: Command) -> tuple[Code, str] | None:
        """A flood of joins that wait for the same meeting must not fill the memory. Who wants silence is always heard."""
        if len(self._answers.open) < MAX_OPEN or isinstance(command.body, Leave | Mute):
            return None
        return Code.BUSY, f"{MAX_OPEN} commands are being worked on: wait for their answers"

    def _refusal(self, command: Command, now: Now) -> tuple[Code, str] | None:
        """Why this can't be done as things stand."""
        idle = self._lifecycle.phase is Phase.STANDBY
        match command.body:
            case Unmute() if not self._lifecycle.held:
                return Code.NOT_IN_MEETING, "The room is in no meeting: nothing to unmute"
            case Unmute() if "microphone" not in self._profile.fitted:
                return Code.DEVICE_ABSENT, "The room has no microphone (devices.microphone)"
            case Volume() if "speaker" not in self._profile.fitted:
                return Code.DEVICE_ABSENT, "The room has no loudspeaker (devices.speaker)"
            case Unmute() if self._microphone.gated:
                return Code.NO_FLOOR, "The room does not have the floor: give it the floor first"
            case Unmute() if self._microphone.muted_by_hand:
                return Code.MUTED_BY_HAND, "The room muted itself by its button; only it can unmute"
            case Record() if not self._lifecycle.held:
                return Code.NOT_IN_MEETING, "The room is in no meeting: nothing to record"
            case Display(power="off") if not idle:
                return Code.IN_MEETING, "The display stays on during a meeting"
            case Display() if not self._profile.has_relay:
                return Code.DEVICE_ABSENT, "The room has no display relay (devices.display.relay)"
            case Identify() if "panel" not in self._profile.fitted:
                return Code.DEVICE_ABSENT, "The room has no lamp (devices.panel)"
            case Restart() if not (idle or self._lifecycle.phase is Phase.FAULT):
                return Code.IN_MEETING, "The room is in a meeting: leave it first"
        return self._taking_part.refusal(command.body, now)

    def _obey(self, command: Command, now: Now) -> None:
        match command.body:
            case Mute():
                self._microphone.mute(command.id, now)
            case Unmute():
                self._microphone.unmute(command.id, now)
            case Volume(speaker):
                self._microphone.set_volume(speaker, command.id, now)
            case Record(recording):
                self._meeting.record(command.id, recording == "on", now)
            case Display(power):
                self._switch_display(command, power, now)
            case Identify(seconds):
                self._taking_part.lamp.blink(seconds)
                self._answers.succeed(command.id, f"the lamp blinks for {seconds:g} s", now)
            case Ping():
                detail = AckDetail(version=self._profile.version)
                self._answers.succeed(command.id, "pong", now, detail=detail)
            case Report():
                if not self._reporters:  # else who asks again and again would keep all waiting
                    self._do(SetDeadline(ReportLate(), REPORT_SECONDS))
                self._reporters.append(command.id)
                self._health.start()
            case Restart(scope):
                self._answers.running(command.id, f"restarting the {scope}", now)
                self._ending.restart(scope)
            case _:
                self._taking_part.obey(command, now)

    def _switch_display(self, command: Command, power: str, now: Now) -> None:
        if self._display.on == self._display.heading == (power == "on"):
            self._answers.succeed(command.id, f"was {power} already", now, code=Code.ALREADY)
        if power == "on":
            self._display.keep_on()
        else:
            self._display.want_off()

    def display_switched(self, on: bool, error: str, now: Now) -> None:
        """The relay answered whoever asked for it."""
        for command in [c for c in self._answers.open.values() if isinstance(c.body, Display)]:
            assert isinstance(command.body, Display)
            if (command.body.power == "on") != on:
                continue  # its own switching is still to be answered
            if error:
                self._answers.fail(command.id, Code.DEVICE_FAILED, error, now)
            else:
                self._answers.succeed(command.id, command.body.power, now)

    def health_published(self, now: Now) -> None:
        """Whoever asked for a report has it."""
        for command_id in self._reporters:
            self._answers.succeed(command_id, "health is published", now)
        self._reporters.clear()

    def report_late(self, now: Now) -> None:
        """A probe hangs; whoever asked for a report is told."""
        for command_id in self._reporters:
            self._answers.fail(command_id, Code.TIMEOUT, "The devices did not answer", now)
        self._reporters.clear()

    def settle_interrupted(self, command: Command, cold: bool, now: Now) -> None:
        """A command that a crash or restart cut off is finished or failed by rule, never repeated."""
        if self._lifecycle.arrival.awaited_by(command.id):
            return
        match command.body:
            case Leave() | Mute():
                text = "done by the restart: nothing was open any more"
                self._answers.succeed(command.id, text, now)
            case Show() if self._taking_part.messages.awaited_by(command.id):
                pass  # it is answered when the screen has it
            case Restart(scope) if scope == "agent" or cold:
                self._answers.succeed(command.id, f"the {scope} was restarted", now)
            case _:
                text = "A restart of the agent interrupted it"
                self._answers.fail(command.id, Code.INTERRUPTED, text, now)


def _unusable(event: CommandReceived) -> tuple[Code, str] | None:
    """A healthy room does not end for settings that it could not start with, neither by itself nor with the machine."""
    if isinstance(event.command.body, Restart) and event.settings_problem:
        return Code.BAD_FIELD, f"the settings can't be used: {event.settings_problem}"
    return None
