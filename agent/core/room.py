"""The whole room: every event in, every effect out.

`Room.handle(event, now)` is the core's one entry. It has no I/O, no threads and no clock; the same
events give the same effects.
"""

from __future__ import annotations

from typing import Literal

from agent.core.answers import Answers
from agent.core.audit import DeviceAudit
from agent.core.clock import Now
from agent.core.commands import (
    Code,
    Command,
    Display,
    Identify,
    Join,
    Leave,
    Mute,
    Ping,
    Report,
    Restart,
    Unmute,
    Volume,
)
from agent.core.display import HOLD, WARM_UP, DisplayPower
from agent.core.documents import Connection, DeviceStatus, EventDocument, RoomState, Status
from agent.core.effects import (
    Effect,
    EndDaemon,
    MarkSent,
    PublishEvent,
    PublishState,
    ResendUnsent,
    SetDeadline,
    SetLamp,
    SetServiceStatus,
)
from agent.core.events import (
    CommandReceived,
    CommandRefused,
    DeadlinePassed,
    Delivered,
    DevicesProbed,
    DisplaySwitched,
    Event,
    HostSampled,
    LineChanged,
    LinkChanged,
    Restored,
    RoundTripMeasured,
    StopRequested,
    WorkerExited,
    WorkerReported,
)
from agent.core.health import REPORT, SOON, HealthBoard
from agent.core.media import Applied, DeviceReported, DownlinkReported, Measured, UplinkReported
from agent.core.meeting import MeetingControl
from agent.core.microphone import CONFIRM, Microphone
from agent.core.profile import Profile

IDENTIFY = "identify"
PROBE_ANSWER = "report"
REPORT_SECONDS = 10.0
"""A probe looks at sysfs; one that takes longer hangs in the kernel."""


class Room:
    """The state of one room and the rules it lives by."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._effects: list[Effect] = []
        self._do = self._effects.append
        self._reporters: list[str] = []
        self._published: RoomState | None = None
        self.link = LinkChanged(up=False, code="starting", text="not connected yet")
        self.answers = Answers(profile.room, self._do)
        self.display = DisplayPower(profile, self._do)
        self.microphone = Microphone(self._do, self.answers, profile.speaker_volume)
        self.health = HealthBoard(profile, self._do)
        self.audit = DeviceAudit(profile.room, self._do)
        self.meeting = MeetingControl(
            profile, self._do, self.answers, self.display, self.microphone, self._tell
        )

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """What must be done about this event, in this order."""
        self._handle(event, now)
        self._publish_state(now)
        effects = self._effects[:]
        self._effects.clear()
        return effects

    def _handle(self, event: Event, now: Now) -> None:  # noqa: PLR0912 - one line an event
        match event:
            case CommandReceived():
                self._received(event, now)
            case CommandRefused():
                self.answers.refuse_malformed(event, now)
            case WorkerReported() if self.meeting.is_current(event.generation):
                self._reported(event, now)
            case WorkerExited() if self.meeting.is_current(event.generation):
                self._worker_exited(event, now)
            case LineChanged():
                self._line_changed(event, now)
            case LinkChanged():
                self._link_changed(event, now)
            case Delivered(key):
                self._do(MarkSent(key))
            case RoundTripMeasured(milliseconds):
                self.health.round_trip_milliseconds = milliseconds
            case DisplaySwitched(on, error):
                self._display_switched(on, error, now)
            case DevicesProbed(devices):
                self.health.probed(devices, now)
            case HostSampled(figures):
                self._sampled(figures, now)
            case DeadlinePassed(name):
                self._deadline(name, now)
            case Restored():
                self._restored(event, now)
            case StopRequested(reason):
                self._do(SetServiceStatus(f"stopping: {reason}"))
                self._do(EndDaemon())

    # --- documents -------------------------------------------------------------------------------

    def state(self, now: Now) -> RoomState:
        """What the room is doing now."""
        attendance = self.meeting.attendance
        return RoomState(
            room=self._profile.room,
            connection=Connection.ONLINE,
            session=self.link.session,
            phase=self.meeting.phase,
            meeting=attendance.state if attendance else None,
            microphone=self._microphone_word(),
            camera="live" if "camera" in self.health.open_devices else "off",
            display="on" if self.display.on else "off",
            agent=self._profile.agent,
            at=now.wall,
        )

    def _microphone_word(self) -> Literal["live", "muted", "off"]:
        if "microphone" not in self.health.open_devices:
            return "off"
        return "live" if self.microphone.live else "muted"

    def _publish_state(self, now: Now) -> None:
        state = self.state(now)
        before = self._published
        if before is not None and _same(before, state):
            return
        if before is None or before.phase is not state.phase:
            meeting = f", meeting {state.meeting.id}" if state.meeting else ""
            self._do(SetServiceStatus(f"{state.phase}{meeting}"))
            self.health.change()
        self._published = state
        self._do(PublishState(state))

    def _tell(self, kind: str, code: str, text: str, now: Now) -> None:
        self._do(PublishEvent(EventDocument(kind, self._profile.room, str(code), text, now.wall)))

    # --- commands --------------------------------------------------------------------------------

    def _received(self, event: CommandReceived, now: Now) -> None:
        command, delivery = event.command, event.delivery
        if event.known or command.id in self.answers.open:
            self.answers.repeat(command, delivery, event.earlier, now)
            return
        self.answers.warn(command.id, event.unknown_fields)
        if refusal := self._untimely(command, now):
            self.answers.refuse(command, delivery, *refusal, now)
        elif isinstance(command.body, Join):
            self.meeting.join(command, command.body, delivery, now)
        elif isinstance(command.body, Leave):
            self.meeting.leave(command, command.body, delivery, now)
        elif refusal := self._refusal(command):
            self.answers.refuse(command, delivery, *refusal, now)
        else:
            self.answers.accept(command, delivery, now)
            self._obey(command, now)

    def _untimely(self, command: Command, now: Now) -> tuple[Code, str] | None:
        if command.expires is None:
            return None
        if command.expires <= now.wall:
            return Code.EXPIRED, f"expires: {command.expires.isoformat()} is past"
        if not now.synchronised:
            return (
                Code.CLOCK_UNSYNCHRONISED,
                "The room's clock is not synchronised yet, so expires can't be judged",
            )
        return None

    def _refusal(self, command: Command) -> tuple[Code, str] | None:
        """Why this can't be done as things stand."""
        held = self.meeting.attendance is not None
        match command.body:
            case Unmute() if not held:
                return Code.NOT_IN_MEETING, "The room is in no meeting: nothing to unmute"
            case Unmute() if self.microphone.muted_by_hand:
                return Code.MUTED_BY_HAND, "The room muted itself by its button; only it can unmute"
            case Display(power="off") if held:
                return Code.IN_MEETING, "The display stays on during a meeting"
            case Display() if not self._profile.has_relay:
                return Code.DEVICE_ABSENT, "The room has no display relay (devices.display.relay)"
            case Identify() if "panel" not in self._profile.fitted:
                return Code.DEVICE_ABSENT, "The room has no lamp (devices.panel)"
            case Restart() if held:
                return Code.IN_MEETING, "The room is in a meeting: leave it first"
        return None

    def _obey(self, command: Command, now: Now) -> None:
        match command.body:
            case Mute():
                self.microphone.mute(command.id, now)
            case Unmute():
                self.microphone.unmute(command.id, now)
            case Volume(speaker):
                self.microphone.set_volume(speaker, command.id, now)
            case Display(power):
                self._display(command, power, now)
            case Identify(seconds):
                self._do(SetLamp("blink"))
                self._do(SetDeadline(IDENTIFY, seconds))
                self.answers.succeed(command.id, f"the lamp blinks for {seconds:g} s", now)
            case Ping():
                self.answers.succeed(
                    command.id, "pong", now, detail={"version": self._profile.version}
                )
            case Report():
                self._reporters.append(command.id)
                self._do(SetDeadline(PROBE_ANSWER, REPORT_SECONDS))
                self.health.start()
            case Restart(scope):
                self.answers.running(command.id, f"restarting the {scope}", now)
                self._do(EndDaemon(scope))

    def _display(self, command: Command, power: str, now: Now) -> None:
        if self.display.on == (power == "on"):
            self.answers.succeed(command.id, f"was {power} already", now, code=Code.ALREADY)
            return
        if power == "on":
            self.display.want_on()
        else:
            self.display.want_off()

    def _display_switched(self, on: bool, error: str, now: Now) -> None:
        self.display.switched(on, error)
        for command in [c for c in self.answers.open.values() if isinstance(c.body, Display)]:
            if error:
                self.answers.fail(command.id, Code.DEVICE_FAILED, error, now)
            else:
                self.answers.succeed(command.id, "on" if on else "off", now)
        if error:
            self.meeting.device("display", DeviceStatus(Status.FAILED, "relay-failed", error))
        self.meeting.check(now)

    # --- the rest --------------------------------------------------------------------------------

    def _restored(self, event: Restored, now: Now) -> None:
        self.microphone.muted_by_hand = event.muted_by_hand
        self.display.restore(event.display_on)
        self.audit.restore(event.left_open, now)
        for command in event.unfinished:
            self.answers.reopen(command)
        leaving = any(isinstance(c.body, Leave) for c in event.unfinished)
        if event.cold:
            self._tell("power-restored", Code.OK, "the machine started", now)
        if event.meeting is not None and not leaving:
            self._resume(event, now)
        else:
            if leaving:
                self.meeting.forget()
            self.display.release()
        for command in event.unfinished:
            self._settle_interrupted(command, event.cold, now)
        self.health.start()

    def _resume(self, event: Restored, now: Now) -> None:
        assert event.meeting is not None
        meeting = event.meeting.command.body
        assert isinstance(meeting, Join)
        if self.meeting.resume(event.meeting, now):
            self._tell("resumed", Code.OK, f"back into meeting {meeting.meeting.id}, muted", now)
        else:
            text = f"not back into meeting {meeting.meeting.id}: its time is over"
            self._tell("meeting-over", Code.OK, text, now)
            self.display.release()

    def _settle_interrupted(self, command: Command, cold: bool, now: Now) -> None:
        """A command that a crash or restart cut off is finished or failed by rule, never repeated."""
        attendance = self.meeting.attendance
        if attendance is not None and command.id in attendance.waiting:
            return
        match command.body:
            case Leave() | Mute():
                text = "done by the restart: nothing was open any more"
                self.answers.succeed(command.id, text, now)
            case Restart(scope) if scope == "agent" or cold:
                self.answers.succeed(command.id, f"the {scope} was restarted", now)
            case _:
                self.answers.fail(
                    command.id, Code.INTERRUPTED, "A restart of the agent interrupted it", now
                )

    def _link_changed(self, event: LinkChanged, now: Now) -> None:
        self.link = event
        if event.up:
            self._published = None
            self._do(ResendUnsent())
            self.health.publish(self.meeting.phase, self.meeting.attendance, now)

    def _reported(self, event: WorkerReported, now: Now) -> None:
        match event.report:
            case UplinkReported() as report:
                self.meeting.uplink(report, now)
                self.health.change()
            case DownlinkReported() as report:
                self.meeting.downlink(report, now)
                self.health.change()
            case DeviceReported() as report:
                self.health.reported(report, now)
                self.meeting.device(report.device, report.status)
                self.audit.observe(self.health.open_devices, *self.meeting.reason, now)
            case Measured(figures):
                self.health.figures = figures
            case Applied(request, error):
                self.microphone.applied(request, error, now)

    def _worker_exited(self, event: WorkerExited, now: Now) -> None:
        self.health.child_gone(now)
        command, why = self.meeting.reason
        self.audit.observe(set(), command, f"{why} ({event.text})" if event.text else why, now)
        self.meeting.worker_exited(event.text, now)

    def _line_changed(self, event: LineChanged, now: Now) -> None:
        if not event.active:
            return
        if self.meeting.attendance is not None:
            self.microphone.pressed(now)
            word = "live" if self.microphone.live else "muted"
            self._tell("mute-pressed", Code.OK, f"the room's button: now {word}", now)
        else:
            self._tell("mute-pressed", Code.NOT_IN_MEETING, "pressed outside of a meeting", now)

    def _sampled(self, figures: dict[str, object], now: Now) -> None:
        self.health.sampled(figures, self.meeting.phase, self.meeting.attendance, now)
        for command_id in self._reporters:
            self.answers.succeed(command_id, "health is published", now)
        self._reporters.clear()

    def _deadline(self, name: str, now: Now) -> None:
        if name == REPORT:
            self.health.due()
        elif name == SOON:
            self.health.publish(self.meeting.phase, self.meeting.attendance, now)
        elif name == WARM_UP:
            self.display.warmed_up()
            self.meeting.check(now)
        elif name == HOLD:
            self.display.want_off()
        elif name == IDENTIFY:
            self._do(SetLamp("on" if self.meeting.attendance else "off"))
        elif name == PROBE_ANSWER:
            for command_id in self._reporters:
                self.answers.fail(command_id, Code.TIMEOUT, "The devices did not answer", now)
            self._reporters.clear()
        elif name.startswith(CONFIRM):
            self.microphone.not_confirmed(name.removeprefix(CONFIRM), now)
        else:
            self.meeting.deadline(name, now)


def _same(a: RoomState, b: RoomState) -> bool:
    """Whether the documents differ in nothing but their time."""
    return (a.session, a.phase, a.meeting, a.microphone, a.camera, a.display) == (
        b.session,
        b.phase,
        b.meeting,
        b.microphone,
        b.camera,
        b.display,
    )
