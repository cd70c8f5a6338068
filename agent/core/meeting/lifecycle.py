"""One stay in a meeting after the other: the way in, holding on, the way out.

One media child at a time carries it; this decides when that starts, ends and is started again, by
what it reports. `agent.core.meeting.control` has the commands that begin and end a stay.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import structs

from agent.core.answers import Answers
from agent.core.meeting.arrival import JOIN, SETTLE, Arrival
from agent.core.meeting.membership import Attendance
from agent.core.audit import Cause
from agent.core.model.clock import Now
from agent.core.model.commands import Code, Command, Join
from agent.core.meeting.departure import Departure
from agent.core.display import DisplayPower
from agent.core.model.documents import Phase
from agent.core.model.effects import (
    CancelDeadline,
    Effect,
    InstructWorker,
    RememberMeeting,
    SetDeadline,
    SetLamp,
)
from agent.core.model.events import MeetingRecord
from agent.core.model.media import Instruction
from agent.core.media_child import RESTART, MediaChild
from agent.core.microphone import Microphone
from agent.core.model.profile import Profile
from agent.core.recording import Recording
from agent.core.meeting.standby import StandbyScreen
from agent.core.meeting.window import WINDOW, Window

LEAVE = "leave"
LEAVE_SECONDS = 10.0
"""The supervisor's SIGKILL has come by then, and the kernel has had time for it."""

MAX_JOIN_FAILURES = 3
"""Media children that may die before the join is given up."""

HELD = frozenset({Phase.JOINING, Phase.IN_MEETING, Phase.RECONNECTING})

Tell = Callable[[str, str, str, Now], None]
"""Publishes an event: type, code, text, now."""


class Stay:
    """The meeting that the room is in, or none. `do` takes the effects in order."""

    def __init__(
        self,
        profile: Profile,
        do: Callable[[Effect], None],
        answers: Answers,
        display: DisplayPower,
        child: MediaChild,
        microphone: Microphone,
        recording: Recording,
        tell: Tell,
    ) -> None:
        self._profile = profile
        self._do = do
        self._answers = answers
        self._display = display
        self._microphone = microphone
        self._recording = recording
        self._tell = tell
        self.window = Window(do)
        self.arrival = Arrival(do, answers)
        self.departure = Departure(answers)
        self._ending: Cause = (None, "")
        self.child = child
        self._standby = StandbyScreen(profile, self.child)
        self.phase = Phase.STANDBY
        self.attendance: Attendance | None = None

    @property
    def held(self) -> bool:
        """In a meeting, or getting there."""
        return self.phase in HELD

    @property
    def opening(self) -> Cause:
        """Why the devices that are opened now are."""
        if self.attendance is None:
            return self._ending
        return self.attendance.command, f"meeting {self.attendance.id}"

    @property
    def closing(self) -> Cause:
        """Why the devices that are closed now are."""
        return self.opening if self.held else self._ending

    def supersede_joins(self, text: str, now: Now) -> None:
        """The joins that are not answered yet, and the next one, have become pointless."""
        self.arrival.withdraw(text, now)
        self.departure.withdraw_next(text, now)

    def forget(self) -> None:
        """Don't go back after a restart."""
        self._do(RememberMeeting(None))

    # --- the way in ------------------------------------------------------------------------------

    def begin(
        self, command: Command, join: Join, now: Now, *, resumed_since: datetime | None = None
    ) -> None:
        attendance = Attendance(
            command=command,
            join=join,
            since=resumed_since or now.wall,
            publish=self._profile.publish_endpoint(join),
            play=self._profile.play_sources(join),
            since_doubted=resumed_since is None and not now.synchronised,
        )
        self.attendance = attendance
        self.phase = Phase.JOINING
        self.remember(join)
        self._recording.prepare(join.recording == "on")
        self._microphone.prepare(join.microphone == "live" and resumed_since is None)
        self._do(SetLamp("on"))
        self._display.want_on()
        self._start_child(attendance)
        self.arrival.begin(command.id, join.timeout_seconds)
        self.window.open(join.until, now, resumed_since=resumed_since)
        self._answers.running(command.id, f"joining {attendance.id}", now)

    def go_on(self) -> None:
        """The join was answered before the restart: now it takes as long as it takes."""
        assert self.attendance is not None
        self.attendance.joined_once = True
        self.phase = Phase.RECONNECTING
        self.arrival.end()

    def remember(self, join: Join) -> None:
        """The join as it stands now: a new child and a restart go on with it."""
        attendance = self.attendance
        assert attendance is not None
        attendance.join = join
        attendance.command = structs.replace(attendance.command, body=join)
        self._do(RememberMeeting(MeetingRecord(attendance.command, attendance.since.timestamp())))

    def correct(self, correction: timedelta) -> None:
        """The clock was set: a wrong beginning would keep a later restart from coming back."""
        attendance = self.attendance
        if attendance is not None and self.held and attendance.since_doubted:
            attendance.since_doubted = False
            attendance.since += correction
            self.remember(attendance.join)

    def follow_recording(self) -> None:
        """What is wanted of the recording is remembered as soon as it changes."""
        attendance, word = self.attendance, self._recording.word
        if attendance is not None and self.held and attendance.join.recording != word:
            self.remember(structs.replace(attendance.join, recording=word))

    def _start_child(self, attendance: Attendance) -> None:
        """The meeting's child; the one that has the screen goes first and is heard of again."""
        if self._standby.showing:
            self._standby.end()
            return
        attendance.reset_links()
        plan = attendance.plan(
            self._profile,
            microphone_live=self._microphone.live,
            speaker_volume=self._microphone.volume,
            recording=self._recording.wanted,
        )
        self.child.start(plan)

    def instruct(self, instruction: Instruction) -> None:
        """Tell the meeting's child; one that is still to be started has it in its plan."""
        if self.child.in_meeting:
            self._do(InstructWorker(instruction))

    def check(self, now: Now, *, settled: bool = False) -> None:
        """Look whether what has been reported changes the phase."""
        attendance = self.attendance
        if attendance is None or not self.held:
            return
        if self.phase is Phase.JOINING:
            self._check_joining(attendance, settled, now)
        elif attendance.flows and self.phase is Phase.RECONNECTING:
            self._joined(attendance, now)
        elif not attendance.flows and self.phase is Phase.IN_MEETING:
            self.phase = Phase.RECONNECTING
            code, text = attendance.shortfall()
            self._tell("reconnecting", code, text, now)

    def _check_joining(self, attendance: Attendance, settled: bool, now: Now) -> None:
        if refusal := attendance.refusal():
            self._fail_join(attendance, *refusal, now)
            return
        if not (attendance.flows and self._display.ready):
            return
        if attendance.complete or settled:
            self._joined(attendance, now)
        else:
            self.arrival.settle()

    def _join_is_due(self, attendance: Attendance, now: Now) -> None:
        """The time is over. A projector that is still warming up keeps nobody out."""
        if attendance.flows:
            attendance.missing.setdefault("display", "Display: still warming up")
            self._joined(attendance, now)
        else:
            self._fail_join(attendance, *attendance.shortfall(), now)

    def _joined(self, attendance: Attendance, now: Now) -> None:
        again = attendance.joined_once
        attendance.joined_once = True
        attendance.worker_failures = 0
        self.phase = Phase.IN_MEETING
        self.arrival.arrived(attendance.id, attendance.detail(), now)
        if again:
            self._tell("reconnected", Code.OK, f"back in meeting {attendance.id}", now)

    def _fail_join(self, attendance: Attendance, code: Code, text: str, now: Now) -> None:
        self.arrival.failed(code, text, now, attendance.detail())
        self.stop(now, attendance.command, f"not joined: {text}")

    # --- the way out -----------------------------------------------------------------------------

    def stop(self, now: Now, command: Command, why: str) -> None:
        """Out of the meeting; the rest follows when the child is gone."""
        if self.held:  # else somebody else has ended it
            self._ending = command, why
        self.phase = Phase.LEAVING
        self.forget()
        self.arrival.end()
        self.window.close()
        self.child.cancel_start()
        self._standby.retry()
        if self.child.running:
            self.child.stop()
            self._do(SetDeadline(LEAVE, LEAVE_SECONDS))
        else:
            self._left(now)

    def _left(self, now: Now) -> None:
        assert self.attendance is not None
        self._do(CancelDeadline(LEAVE))
        left, self.attendance = self.attendance, None
        self.phase = Phase.STANDBY
        self._microphone.rest()
        following = self.departure.left(left.id, now)
        if following is not None and isinstance(following.body, Join):
            self.begin(following, following.body, now)
        else:
            self._do(SetLamp("off"))
            self._display.release()

    def _stuck(self, attendance: Attendance, now: Now) -> None:
        """The child outlived SIGKILL: a driver hangs in the kernel. Who waits is told; the lamp
        stays on, and the rest follows if the child ever goes."""
        self.phase = Phase.FAULT
        text = (
            f"The media process does not end: a device hangs. Restart the machine ({attendance.id})"
        )
        self.departure.stuck(text, now)
        self._tell("fault", Code.DEVICE_FAILED, text, now)

    def child_exited(self, text: str, now: Now) -> None:
        """The child is gone: as wished, or a failure that is mended by starting another."""
        self._microphone.child_gone(now, goes_on=self.held)
        self._recording.child_gone(now)
        self.child.exited()
        attendance = self.attendance
        if self._standby.showing:
            self._standby.exited()
            if attendance is not None and self.held:
                self._start_child(attendance)
                return
        if attendance is None:
            return
        if not self.held:
            self._left(now)
            return
        attendance.worker_failures += 1
        attendance.reset_links()
        self._tell("media-restarted", Code.WORKER_FAILED, text, now)
        if self.arrival.awaited and attendance.worker_failures >= MAX_JOIN_FAILURES:
            self._fail_join(attendance, Code.WORKER_FAILED, text, now)
            return
        if self.phase is Phase.IN_MEETING:
            self.phase = Phase.RECONNECTING
        self.child.start_later(attendance.worker_failures)

    def follow_display(self) -> None:
        """Between meetings the room's name stands on a display that is on."""
        self._standby.follow(self.phase is Phase.STANDBY and self._display.on)

    # --- deadlines -------------------------------------------------------------------------------

    def deadline(self, name: str, now: Now) -> None:
        """One of this file's deadlines has passed."""
        attendance = self.attendance
        if name == RESTART:
            self._standby.retry()
        if attendance is not None and name == LEAVE and self.phase is Phase.LEAVING:
            self._stuck(attendance, now)
        if attendance is None or not self.held:
            return
        if name in (JOIN, SETTLE):
            self.check(now, settled=True)
            if name == JOIN and self.phase is Phase.JOINING:
                self._join_is_due(attendance, now)
        elif name == RESTART and not self.child.running:
            self._start_child(attendance)
        elif name == WINDOW and self.window.over(now):
            self._tell("meeting-over", Code.OK, f"meeting {attendance.id}: its time is over", now)
            self.supersede_joins("the meeting's time is over", now)
            self.stop(now, attendance.command, "the meeting's time is over")
