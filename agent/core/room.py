"""The whole room: every event in, every effect out.

`Room.handle(event, now)` is the core's one entry. It has no I/O, no threads and no clock; the same
events give the same effects.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import structs

from agent.core.agenda.control import AgendaControl
from agent.core.agenda.preparation import Orders, Preparation
from agent.core.audit import DeviceAudit
from agent.core.borrowing import Borrowing
from agent.core.context import Context
from agent.core.devices.display import DisplayPower
from agent.core.devices.lamp import Lamp
from agent.core.devices.media_process import MediaProcess
from agent.core.devices.microphone import MicrophoneControl
from agent.core.devices.recording import RecordingControl
from agent.core.dispatch import Dispatch
from agent.core.ending import Ending
from agent.core.health import HealthBoard
from agent.core.media_reports import MediaReports
from agent.core.meeting.control import MeetingControl
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.model import deadlines
from agent.core.model.clock import ClockSetting, Now
from agent.core.model.commands import Code, Leave, PictureSize
from agent.core.model.deadlines import Deadline
from agent.core.model.documents import (
    Connection,
    DeviceStatus,
    HostHealth,
    Phase,
    RoomState,
    Status,
)
from agent.core.model.effects import Effect, MarkSent
from agent.core.model.events import (
    AgendaReceived,
    CheckEnded,
    CommandReceived,
    CommandRefused,
    DeadlinePassed,
    Delivered,
    DevicesBorrowed,
    DevicesProbed,
    DevicesReturned,
    DisplaySwitched,
    Event,
    HostSampled,
    LampSet,
    LineChanged,
    LinkChanged,
    MediaExited,
    MediaReported,
    MessageRefused,
    PictureAsked,
    ReloadRequested,
    Restored,
    RoundTripMeasured,
    StopRequested,
)
from agent.core.model.profile import Profile
from agent.core.participation.announcements import Announcements
from agent.core.participation.check import RoomCheck
from agent.core.participation.taking_part import TakingPart
from agent.core.refusals import Refusals
from agent.core.set_aside import SetAsideMessages
from agent.core.state_feed import StateFeed


class Room:
    """The state of one room and the rules it lives by."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._agent = profile.agent
        self._clock = ClockSetting()
        self._effects: list[Effect] = []
        self.context = context = Context(profile, self._effects.append)
        self.answers = context.answers
        self.link = LinkChanged(up=False, code="starting", text="not connected yet")
        self.feed = StateFeed(context)
        self.refusals = Refusals(context)
        self.display = display = DisplayPower(context)
        self.process = process = MediaProcess(context)
        self.lamp = lamp = Lamp(context)
        self.microphone = microphone = MicrophoneControl(context, process, lamp)
        self.recording = recording = RecordingControl(context, process)
        self.health = HealthBoard(context)
        self.set_aside = SetAsideMessages(context, self.health)
        self.audit = DeviceAudit(context)
        self.borrowing = Borrowing(lamp, self.audit)
        self.lifecycle = Lifecycle(context, display, lamp, process, microphone, recording)
        self.reports = MediaReports(
            process, self.lifecycle, self.health, self.audit, microphone, recording
        )
        self.ending = Ending(context, self.lifecycle)
        self.meeting = MeetingControl(context, recording, self.lifecycle)
        self.taking_part = self._taking_part(lamp)
        self.dispatch = Dispatch(
            context, display, self.taking_part, self.health, self.meeting, self.ending
        )
        orders = Orders(self.dispatch.received)
        preparation = Preparation(context, self.lifecycle, self.taking_part, self.health, orders)
        self.agenda = AgendaControl(context, self.meeting, preparation, orders)
        self.deadlines = self._deadlines()

    def _taking_part(self, lamp: Lamp) -> TakingPart:
        announcements = Announcements(self.context, self.display, self.process)
        check = RoomCheck(self.context, self.lifecycle, self.health, announcements, lamp)
        made = TakingPart(self.context, lamp, announcements, self.meeting, self.microphone, check)
        self.lifecycle.make_way = check.give_way
        self.reports.on_shown = made.messages.applied
        return made

    def _deadlines(self) -> dict[type[Deadline], Callable[[Any, Now], None]]:
        """Which part takes which deadline."""
        parts = self.taking_part
        return {
            deadlines.HealthDue: lambda _, now: self.health.start(),
            deadlines.HealthChanged: lambda _, now: self._publish_health(now),
            deadlines.ReportLate: lambda _, now: self.dispatch.report_late(now),
            deadlines.RefusalsDue: lambda _, now: self.refusals.due(now),
            deadlines.RefusedDue: lambda _, now: self.set_aside.due(now),
            deadlines.HeldEventsDue: lambda _, now: self.context.throttle.release(),
            deadlines.StopOver: lambda _, now: self.ending.finish(),
            deadlines.DisplayWarm: lambda _, now: self._display_warm(now),
            deadlines.DisplayUnused: lambda _, now: self.display.want_off(),
            deadlines.HandMuteOver: lambda _, now: self.microphone.rested(),
            deadlines.HandCameraOver: lambda _, now: self.lifecycle.camera.rested(),
            deadlines.CameraLate: lambda _, now: self.lifecycle.camera.not_confirmed(),
            deadlines.ButtonHeldLong: lambda _, now: parts.button.held_long(now),
            deadlines.BlinkOver: lambda _, now: self.lamp.blinked(),
            deadlines.ButtonHeld: lambda _, now: parts.button.held(now),
            deadlines.SecondPressLate: lambda _, now: parts.button.single(now),
            deadlines.RingOver: lambda _, now: parts.call.over(now),
            deadlines.MessageOver: lambda _, now: parts.messages.over(now),
            deadlines.AnnouncementLate: lambda d, now: parts.messages.late(d.request, now),
            deadlines.CheckLate: lambda _, now: parts.check.late(now),
            deadlines.InstructionLate: lambda d, now: self.microphone.not_confirmed(d.request, now),
            deadlines.RecordingLate: lambda d, now: self.recording.not_confirmed(d.request, now),
            deadlines.JoinLate: lambda _, now: self.lifecycle.join_late(now),
            deadlines.JoinAgain: lambda _, now: self.lifecycle.join_again(now),
            deadlines.SourcesLate: lambda _, now: self.lifecycle.sources_late(now),
            deadlines.LeaveLate: lambda _, now: self.lifecycle.leave_late(now),
            deadlines.MediaStartDue: lambda _, now: self.lifecycle.start_media(),
            deadlines.AgendaDue: lambda _, now: (
                None
            ),  # `handle` follows the agenda after every event
            deadlines.MeetingEndDue: lambda _, now: self.lifecycle.end_due(now),
        }

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """What must be done about this event, in this order."""
        if isinstance(event, Delivered):  # of each message, and changes nothing else in the room
            return [MarkSent(event.key)]
        self.context.clock_is_set = now.synchronised
        self._handle(event, now)
        if correction := self._clock.correction(now):
            started = self._agent.started + correction
            self._agent = structs.replace(self._agent, started=started)
            self.lifecycle.correct(correction)
        self.ending.check()
        if not self.ending.under_way:
            self.agenda.follow(now)
            announced = self.taking_part.announcements.wants_process
            self.lifecycle.follow_display(announced=announced)
        self.lifecycle.follow_recording()
        self.taking_part.follow(now)
        if self.feed.offer(self.state(now)):
            self.health.change(now)
        effects = self._effects[:]
        self._effects.clear()
        return effects

    def _handle(self, event: Event, now: Now) -> None:  # noqa: PLR0912 - one line an event
        match event:
            case CommandReceived() if self.ending.under_way:
                pass  # neither recorded nor acknowledged: the broker gives it to the next run
            case CommandReceived():
                self.dispatch.received(event, now)
            case AgendaReceived():
                self.agenda.received(event, now)
            case CommandRefused():
                self.answers.refuse_malformed(event, now)
                self.refusals.note(event, now)
            case MediaReported(generation, report) if self.process.is_current(generation):
                self.reports.take(report, now)
            case MediaExited(generation, _, text) if self.process.is_current(generation):
                self._process_exited(text, now)
            case LineChanged(line, active):
                self.taking_part.line_changed(line, active, now)
            case LinkChanged():
                self._link_changed(event, now)
            case MessageRefused():
                self.set_aside.refused(event, now)
            case RoundTripMeasured(milliseconds):
                self.health.round_trip_milliseconds = milliseconds
            case LampSet(error):
                self.health.lamp_set(error, now)
            case DisplaySwitched(on, error):
                self._display_switched(on, error, now)
            case CheckEnded():
                self.taking_part.check.ended(event, now)
            case DevicesProbed(devices):
                self.health.probed(devices, now)
            case HostSampled(host):
                self._sampled(host, now)
            case DeadlinePassed(deadline):
                self.deadlines[type(deadline)](deadline, now)
            case Restored():
                self._restored(event, now)
            case DevicesBorrowed(devices=devices) if self.may_lend and not self.by_hand(devices):
                self.borrowing.begin(self.taking_part.check.named(event), now)
            case DevicesReturned(loan):
                self.borrowing.end(loan, now)
            case PictureAsked(source, sender) if self.lifecycle.process.in_meeting:
                self.audit.picture_taken(source, sender, now)
            case ReloadRequested(problem):
                self._reload(problem, now)
            case StopRequested(reason):
                self.ending.stop(reason)

    @property
    def _idle(self) -> bool:
        return self.lifecycle.phase is Phase.STANDBY

    @property
    def may_lend(self) -> bool:
        """Whether no meeting needs the devices, nor will by what has been ordered so far."""
        return self._idle and not self.ending.under_way

    def by_hand(self, devices: tuple[str, ...]) -> list[str]:
        """Which of them the people in the room have switched off: no tool and no check opens these either."""
        off = {
            "camera": self.lifecycle.camera.off_by_hand,
            "microphone": self.microphone.muted_by_hand,
        }
        return [device for device in devices if off.get(device)]

    # --- documents -------------------------------------------------------------------------------

    def state(self, now: Now) -> RoomState:
        """What the room is doing now."""
        membership = self.lifecycle.membership
        return RoomState(
            room=self._profile.room,
            connection=Connection.ONLINE,
            session=self.link.session,
            phase=self.lifecycle.phase,
            meeting=membership.state if membership else None,
            microphone=self._microphone_word(),
            camera="live" if self._sees else "off",
            camera_off_by_hand=self.lifecycle.camera.off_by_hand,
            display="on" if self.display.on else "off",
            agent=self._agent,
            at=now.wall,
            recording="on" if self.recording.on else "off",
            name=self._profile.name,
            groups=list(self._profile.groups),
            floor=self.lifecycle.floor.state if membership else None,
            picture=self._picture_word(),
            retry=self.lifecycle.retry.state,
        )

    def _microphone_word(self) -> Literal["live", "muted", "off"]:
        if "microphone" not in self.health.open_devices:
            return "off"
        return "live" if self.microphone.heard else "muted"

    def _picture_word(self) -> PictureSize:
        membership = self.lifecycle.membership
        sent = membership is not None and membership.publish is not None
        return membership.picture if membership and sent and self._sees else "off"

    @property
    def _sees(self) -> bool:
        return "camera" in self.health.open_devices

    # --- what happened ---------------------------------------------------------------------------

    def _restored(self, event: Restored, now: Now) -> None:
        self._agent = structs.replace(self._agent, started=now.wall)
        self.microphone.restore(event.muted_by_hand, event.volume)
        self.lifecycle.camera.restore(event.camera_off_by_hand)
        self.taking_part.floor.restore(event.floor)
        self.process.sessions = event.sessions
        self.display.restore(event.display_on, event.display_kept_on)
        self.audit.restore(event.left_open, now)
        self.agenda.restore(event.agenda)
        if event.journal is not None and event.journal.status is not Status.OK:
            self.context.tell("fault", event.journal.code, event.journal.text, now)
        for command in event.unfinished:
            self.answers.reopen(command)
        if event.cold:
            self.context.tell("power-restored", Code.OK, "the machine started", now)
        if _was_left(event):
            self.lifecycle.forget()
        elif event.meeting is not None:
            self.meeting.resume(event.meeting, now)
        if self.lifecycle.membership is None:
            self.microphone.rest()
            self.lifecycle.camera.rest()
            self.display.rest()
        self.taking_part.messages.restore(event.message, now)
        for command in event.unfinished:
            self.dispatch.settle_interrupted(command, event.cold, now)
        self.health.start()

    def _link_changed(self, event: LinkChanged, now: Now) -> None:
        is_new = event.session != self.link.session
        self.link = event
        if event.up:
            self.dispatch.kept.linked(now)
            self.set_aside.linked(event, now)
            if is_new and self.health.latest is not None:  # else the first look publishes it
                self._publish_health(now)

    def _publish_health(self, now: Now) -> None:
        self.health.publish(self.lifecycle.phase, self.lifecycle.membership, now)

    def _process_exited(self, text: str, now: Now) -> None:
        self.reports.exited(text, now)
        if self.ending.under_way:
            self.process.exited()
            self.ending.finish()
        else:
            self.lifecycle.process_exited(text, now)

    def _display_switched(self, on: bool, error: str, now: Now) -> None:
        self.display.switched(on, error)
        self.dispatch.display_switched(on, error, now)
        if error and self.lifecycle.membership:
            broken = DeviceStatus(Status.FAILED, "relay-failed", error)
            self.lifecycle.membership.device("display", broken)
        self.lifecycle.check(now)

    def _display_warm(self, now: Now) -> None:
        self.display.warmed_up()
        self.lifecycle.check(now)

    def _reload(self, problem: str, now: Now) -> None:
        """Start anew when nobody is disturbed; not into settings that the room could not start with."""
        if problem:
            text = f"not started anew: the settings can't be used: {problem}"
            self.context.tell("fault", "bad-settings", text, now)
        else:
            self.ending.want_reload()

    def _sampled(self, host: HostHealth, now: Now) -> None:
        self.health.sampled(host, self.lifecycle.phase, self.lifecycle.membership, now)
        self.dispatch.health_published(now)


def _was_left(event: Restored) -> bool:
    """Whether a leave was under way that came after the join of the meeting that would be gone back into."""
    leaves = [at for at, one in enumerate(event.unfinished) if isinstance(one.body, Leave)]
    kept = event.meeting.command.id if event.meeting else None
    joins = [at for at, one in enumerate(event.unfinished) if one.id == kept]
    return bool(leaves) and max(leaves) > max(joins, default=-1)
