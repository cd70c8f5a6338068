"""The whole room: every event in, every effect out.

`Room.handle(event, now)` is the core's one entry. It has no I/O, no threads and no clock; the same
events give the same effects.
"""

from __future__ import annotations

from typing import Any, Literal

from msgspec import structs

from agent.core.answers import Answers
from agent.core.audit import DeviceAudit
from agent.core.dispatch import IDENTIFY, REPORT_ANSWER, Dispatch
from agent.core.display import HOLD, WARM_UP, DisplayPower
from agent.core.ending import STOP, Ending
from agent.core.health import REPORT, SOON, HealthBoard
from agent.core.media_process import MediaProcess
from agent.core.media_reports import MediaReports
from agent.core.meeting.control import MeetingControl
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.microphone import CONFIRM, HAND_MUTE, Microphone
from agent.core.model.clock import ClockSetting, Now
from agent.core.model.commands import Code, Leave
from agent.core.model.documents import Connection, DeviceStatus, EventDocument, RoomState, Status
from agent.core.model.effects import Effect, MarkSent, ResendUnsent
from agent.core.model.events import (
    CommandReceived,
    CommandRefused,
    DeadlinePassed,
    Delivered,
    DevicesProbed,
    DisplaySwitched,
    Event,
    HostSampled,
    LampSet,
    LineChanged,
    LinkChanged,
    MediaExited,
    MediaReported,
    ReloadRequested,
    Restored,
    RoundTripMeasured,
    StopRequested,
)
from agent.core.model.profile import Profile
from agent.core.recording import CONFIRM as CONFIRM_RECORDING
from agent.core.recording import Recording
from agent.core.refusals import DUE as REFUSED
from agent.core.refusals import Refusals
from agent.core.state_feed import StateFeed
from agent.core.throttle import BURST, PRESSES, Throttle
from agent.core.throttle import DUE as THROTTLED

LINK_EVENTS = ("reconnecting", "reconnected")


class Room:
    """The state of one room and the rules it lives by."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._agent = profile.agent
        self._clock = ClockSetting()
        self._effects: list[Effect] = []
        self._do = do = self._effects.append
        self.link = LinkChanged(up=False, code="starting", text="not connected yet")
        self.throttle = Throttle(do)
        self.feed = StateFeed(do)
        self.answers = Answers(profile.room, do)
        self.refusals = Refusals(profile.room, do)
        self.display = DisplayPower(profile, do)
        self.process = MediaProcess(profile.room, do)
        self.microphone = Microphone(do, self.answers, self.process, profile.speaker_volume)
        self.recording = Recording(profile.room, do, self.answers, self.process)
        self.health = HealthBoard(profile, do, self.throttle)
        self.audit = DeviceAudit(profile.room, self.throttle)
        self.lifecycle = Lifecycle(
            profile,
            do,
            self.answers,
            self.display,
            self.process,
            self.microphone,
            self.recording,
            self._tell,
        )
        self.reports = MediaReports(
            self.process, self.lifecycle, self.health, self.audit, self.microphone, self.recording
        )
        self.ending = Ending(do, self.answers, self.lifecycle, self.throttle)
        self.meeting = MeetingControl(
            profile, self.answers, self.recording, self.lifecycle, self._tell
        )
        self.dispatch = Dispatch(
            profile,
            do,
            self.answers,
            self.display,
            self.microphone,
            self.health,
            self.meeting,
            self.lifecycle,
            self.ending,
        )

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """What must be done about this event, in this order."""
        self._handle(event, now)
        if correction := self._clock.correction(now):
            started = self._agent.started + correction
            self._agent = structs.replace(self._agent, started=started)
            self.lifecycle.correct(correction)
        self.ending.check()
        if not self.ending.under_way:
            self.lifecycle.follow_display()
        self.lifecycle.follow_recording()
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
            case CommandRefused():
                self.answers.refuse_malformed(event, now)
                self.refusals.note(event, now)
            case MediaReported(generation, report) if self.process.is_current(generation):
                self.reports.take(report, now)
            case MediaExited(generation, _, text) if self.process.is_current(generation):
                self._process_exited(text, now)
            case LineChanged(_, active) if active:
                self._button_pressed(now)
            case LinkChanged():
                self._link_changed(event, now)
            case Delivered(key):
                self._do(MarkSent(key))
            case RoundTripMeasured(milliseconds):
                self.health.round_trip_milliseconds = milliseconds
            case LampSet(error):
                self.health.lamp_set(error, now)
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
            case ReloadRequested():
                self.ending.want_reload()
            case StopRequested(reason):
                self.ending.stop(reason)

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
            camera="live" if "camera" in self.health.open_devices else "off",
            display="on" if self.display.on else "off",
            agent=self._agent,
            at=now.wall,
            recording="on" if self.recording.on else "off",
        )

    def _microphone_word(self) -> Literal["live", "muted", "off"]:
        if "microphone" not in self.health.open_devices:
            return "off"
        return "live" if self.microphone.heard else "muted"

    def _tell(self, kind: str, code: str, text: str, now: Now) -> None:
        event = EventDocument(kind, self._profile.room, str(code), text, now.wall)
        burst = PRESSES if kind == "mute-pressed" else BURST
        self.throttle.tell("links" if kind in LINK_EVENTS else kind, event, now, burst)

    # --- what happened ---------------------------------------------------------------------------

    def _restored(self, event: Restored, now: Now) -> None:
        self._agent = structs.replace(self._agent, started=now.wall)
        self.microphone.restore(event.muted_by_hand, event.volume)
        self.display.restore(event.display_on, event.display_kept_on)
        self.audit.restore(event.left_open, now)
        if event.journal is not None and event.journal.status is not Status.OK:
            self._tell("fault", event.journal.code, event.journal.text, now)
        for command in event.unfinished:
            self.answers.reopen(command)
        if event.cold:
            self._tell("power-restored", Code.OK, "the machine started", now)
        if any(isinstance(command.body, Leave) for command in event.unfinished):
            self.lifecycle.forget()
        elif event.meeting is not None:
            self.meeting.resume(event.meeting, now)
        if self.lifecycle.membership is None:
            self.microphone.rest()
            self.display.rest()
        for command in event.unfinished:
            self.dispatch.settle_interrupted(command, event.cold, now)
        self.health.start()

    def _link_changed(self, event: LinkChanged, now: Now) -> None:
        self.link = event
        if event.up:
            self.feed.forget()
            self._do(ResendUnsent())
            if self.health.latest is not None:  # else the first look publishes it
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

    def _button_pressed(self, now: Now) -> None:
        if self.lifecycle.membership is None:
            self._tell("mute-pressed", Code.NOT_IN_MEETING, "pressed outside of a meeting", now)
            return
        self.microphone.pressed(now)
        word = "live" if self.microphone.live else "muted"
        self._tell("mute-pressed", Code.OK, f"the room's button: now {word}", now)

    def _sampled(self, figures: dict[str, Any], now: Now) -> None:
        self.health.sampled(figures, self.lifecycle.phase, self.lifecycle.membership, now)
        self.dispatch.health_published(now)

    def _deadline(self, name: str, now: Now) -> None:  # noqa: PLR0912 - one line a name
        if name == REPORT:
            self.health.due()
        elif name == SOON:
            self.health.publish(self.lifecycle.phase, self.lifecycle.membership, now)
        elif name == REFUSED:
            self.refusals.due(now)
        elif name == THROTTLED:
            self.throttle.release()
        elif name == STOP:
            self.ending.finish()
        elif name == WARM_UP:
            self.display.warmed_up()
            self.lifecycle.check(now)
        elif name == HOLD:
            self.display.want_off()
        elif name == HAND_MUTE:
            self.microphone.rested()
        elif name == IDENTIFY:
            self.dispatch.identified()
        elif name == REPORT_ANSWER:
            self.dispatch.report_late(now)
        elif name.startswith(CONFIRM_RECORDING):
            self.recording.not_confirmed(name.removeprefix(CONFIRM_RECORDING), now)
        elif name.startswith(CONFIRM):
            self.microphone.not_confirmed(name.removeprefix(CONFIRM), now)
        else:
            self.lifecycle.deadline(name, now)
