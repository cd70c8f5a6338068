"""One stay in a meeting after the other: the way in, holding on, the way out.

One media process at a time carries it; this decides when that starts, ends and is started again, by
what it reports. `agent.core.meeting.control` has the commands that begin and end a lifecycle.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import structs

from agent.core.audit import Cause
from agent.core.context import Context
from agent.core.devices.camera import CameraControl
from agent.core.devices.display import DisplayPower
from agent.core.devices.lamp import Lamp
from agent.core.devices.media_process import MediaProcess
from agent.core.devices.microphone import MicrophoneControl
from agent.core.devices.recording import RecordingControl
from agent.core.meeting.changes import Changes
from agent.core.meeting.floor import MeetingFloor
from agent.core.meeting.membership import Membership
from agent.core.meeting.retry import Retry
from agent.core.meeting.standby import StandbyScreen
from agent.core.meeting.waiting import Arrival, Departure
from agent.core.meeting.window import Window
from agent.core.model.clock import Now
from agent.core.model.commands import AckDetail, Code, Command, Join
from agent.core.model.deadlines import LeaveLate
from agent.core.model.documents import Phase
from agent.core.model.effects import (
    CancelDeadline,
    InstructMedia,
    RememberMeeting,
    SetDeadline,
)
from agent.core.model.events import FloorRecord, MeetingRecord
from agent.core.model.media import Instruction

LEAVE_SECONDS = 10.0
"""The supervisor's SIGKILL has come by then, and the kernel has had time for it."""

MAX_JOIN_FAILURES = 3
"""Media processes that may die before the join is given up."""

HELD = frozenset({Phase.JOINING, Phase.IN_MEETING, Phase.RECONNECTING})

LINKS = "links"
"""What `reconnecting` and `reconnected` are about, for the throttle."""


class Lifecycle:
    """The meeting that the room is in, or none."""

    def __init__(
        self,
        context: Context,
        display: DisplayPower,
        lamp: Lamp,
        process: MediaProcess,
        microphone: MicrophoneControl,
        recording: RecordingControl,
    ) -> None:
        self._profile = context.profile
        self._do = context.do
        self._answers = context.answers
        self._tell = context.tell
        self._display = display
        self._lamp = lamp
        self.microphone = microphone
        self.camera = CameraControl(context, process)
        self._recording = recording
        self.window = Window(context)
        self.arrival = Arrival(context)
        self.departure = Departure(context)
        self.retry = Retry(context)
        self.last_failure: Code | None = None
        """Why the last join that failed did."""
        self._ending: Cause = (None, "")
        self.process = process
        self._standby = StandbyScreen(context, process)
        self.phase = Phase.STANDBY
        self.membership: Membership | None = None
        self.changes = Changes(self)
        self.floor = MeetingFloor()
        self.floor_of_before: FloorRecord | None = None
        """Of the meeting that a restart interrupted, until it is gone back into."""
        self.make_way: Callable[[Now], None] = lambda now: None
        """Whoever has a device open between meetings closes it; set by the room."""

    @property
    def held(self) -> bool:
        """In a meeting, or getting there."""
        return self.phase in HELD

    def elsewhere(self, meeting: str) -> str | None:
        """The meeting that the room is in, or about to be, if it is not this one."""
        if self.retry.trying and not self.arrival.awaited:
            return self.departure.next_meeting if self.departure.next_meeting != meeting else None
        current = self.membership.id if self.membership and self.held else None
        current = current or self.departure.next_meeting
        return None if current == meeting else current

    @property
    def opening(self) -> Cause:
        """Why the devices that are opened now are."""
        if self.membership is None:
            return self._ending
        return self.membership.command, f"meeting {self.membership.id}"

    @property
    def closing(self) -> Cause:
        """Why the devices that are closed now are."""
        return self.opening if self.held else self._ending

    def supersede_joins(self, text: str, now: Now) -> None:
        """The joins that are not answered yet, and the next one, have become pointless."""
        self.arrival.withdraw(text, now)
        if self.departure.following is not None:
            self.forget()
        self.departure.withdraw_next(text, now)

    def forget(self) -> None:
        """Don't go back after a restart."""
        self._do(RememberMeeting(None))

    # --- the way in ------------------------------------------------------------------------------

    def begin(
        self, command: Command, join: Join, now: Now, *, resumed_since: datetime | None = None
    ) -> None:
        self.make_way(now)
        self.retry.begun(command)
        self._prepare_floor(join, resumed=resumed_since is not None)
        membership = Membership(
            command=command,
            join=join,
            since=resumed_since or now.wall,
            publish=self._profile.publish_endpoint(join),
            play=self._profile.play_sources(join),
            since_doubted=resumed_since is None and not now.synchronised,
            resumed_seconds=now.monotonic_seconds if resumed_since else None,
        )
        self.membership = membership
        self.phase = Phase.JOINING
        self.remember(join)
        self._recording.prepare(join.recording == "on")
        self.microphone.prepare(join.microphone == "live" and resumed_since is None)
        self.camera.prepare()
        self._lamp.opened(live=self.microphone.live)
        self._display.want_on()
        self._start_process(membership)
        self.arrival.begin(command.id, join.timeout_seconds)
        self.window.open(join.until, now, resumed_since=resumed_since)
        self._answers.running(command.id, f"joining {membership.id}", now)

    def _prepare_floor(self, join: Join, *, resumed: bool) -> None:
        """A hand that was up, or the floor, survives a restart; a new meeting begins without."""
        before, self.floor_of_before = self.floor_of_before, None
        self.floor = MeetingFloor(join.floor)
        if resumed and before and before.meeting == join.meeting.id and join.floor == "request":
            self.floor = MeetingFloor("request", before.hand_since, before.position, before.held)
        self.microphone.gated = not self.floor.open

    def go_on(self) -> None:
        """The join was answered before the restart: now it takes as long as it takes."""
        assert self.membership is not None
        self.membership.joined_once = True
        self.phase = Phase.RECONNECTING
        self.arrival.end()

    def remember(self, join: Join) -> None:
        """The join as it stands now: a new media process and a restart go on with it."""
        membership = self.membership
        assert membership is not None
        membership.join = join
        membership.command = structs.replace(membership.command, body=join)
        command, since = membership.command, membership.since.timestamp()
        self._do(RememberMeeting(MeetingRecord(command, since, retrying=self.retry.trying)))

    def correct(self, correction: timedelta) -> None:
        """The clock was set: a wrong beginning would keep a later restart from coming back."""
        membership = self.membership
        if membership is not None and self.held and membership.since_doubted:
            membership.since_doubted = False
            membership.since += correction
            self.remember(membership.join)

    def follow_recording(self) -> None:
        """What is wanted of the recording is remembered as soon as it changes."""
        membership, word = self.membership, self._recording.word
        if membership is not None and self.held and membership.join.recording != word:
            self.remember(structs.replace(membership.join, recording=word))

    def _start_process(self, membership: Membership) -> None:
        """The meeting's media process; the one that has the screen goes first and is heard of again."""
        if self._standby.showing:
            self._standby.end()
            return
        membership.reset_links()
        membership.camera_off_by_hand = self.camera.off_by_hand
        plan = membership.plan(
            self._profile,
            microphone_live=self.microphone.live,
            muted_by_hand=self.microphone.muted_by_hand,
            speaker_volume=self.microphone.volume,
            recording=self._recording.wanted,
            floor=self.floor.shown,
        )
        self.process.start(plan)

    def instruct(self, instruction: Instruction) -> None:
        """Tell the meeting's media process; one that is still to be started has it in its plan."""
        if self.process.in_meeting:
            self._do(InstructMedia(instruction))

    def check(self, now: Now, *, settled: bool = False) -> None:
        """Look whether what has been reported changes the phase."""
        membership = self.membership
        if membership is None or not self.held:
            return
        if self.phase is Phase.JOINING:
            self._check_joining(membership, settled, now)
        elif membership.flows and self.phase is Phase.RECONNECTING:
            self._joined(membership, now)
        elif self.phase is Phase.IN_MEETING and self.arrival.awaited:
            self.changes.check(membership, settled, now)
        elif not membership.flows and self.phase is Phase.IN_MEETING:
            self.phase = Phase.RECONNECTING
            code, text = membership.shortfall()
            self._tell("reconnecting", code, text, now, flaps=LINKS)

    def _check_joining(self, membership: Membership, settled: bool, now: Now) -> None:
        if refusal := membership.refusal():
            self._fail_join(membership, *refusal, now)
            return
        if not (membership.flows and self._display.ready):
            return
        if membership.complete or settled:
            self._joined(membership, now)
        else:
            self.arrival.settle()

    def _join_is_due(self, membership: Membership, now: Now) -> None:
        """The time is over. A projector that is still warming up keeps nobody out."""
        if membership.flows:
            membership.missing.setdefault("display", "Display: still warming up")
            self._joined(membership, now)
        else:
            self._fail_join(membership, *membership.shortfall(), now)

    def _joined(self, membership: Membership, now: Now) -> None:
        again = membership.joined_once
        membership.joined_once = True
        membership.failures = 0
        self.phase = Phase.IN_MEETING
        if self.retry.trying:
            self.retry.withdraw()
            self.remember(membership.join)
        self.arrival.arrived(membership.id, membership.detail(), now)
        if again:
            self._tell("reconnected", Code.OK, f"back in meeting {membership.id}", now, flaps=LINKS)

    def _fail_join(self, membership: Membership, code: Code, text: str, now: Now) -> None:
        self.last_failure = code
        plan = self.retry.plan(membership.command, membership.join, code, text, now)
        again = AckDetail(again_in_seconds=plan.pause_seconds if plan else None)
        self.arrival.failed(code, text, now, membership.detail().with_known(again))
        self.stop(now, membership.command, f"not joined: {text}")
        if plan is not None:
            self.retry.arm(plan)

    # --- the way out -----------------------------------------------------------------------------

    def stop(self, now: Now, command: Command, why: str) -> None:
        """Out of the meeting; the rest follows when the media process is gone."""
        if self.held:  # else somebody else has ended it
            self._ending = command, why
        self.phase = Phase.LEAVING
        self.retry.withdraw()
        self.changes.requests.clear()
        following = self.departure.following  # a power cut before it has begun must not lose it
        record = MeetingRecord(following, now.wall.timestamp()) if following else None
        self._do(RememberMeeting(record))
        self.arrival.end()
        self.window.close()
        self.process.cancel_start()
        self._standby.retry()
        if self.process.running:
            self.process.stop()
            self._do(SetDeadline(LeaveLate(), LEAVE_SECONDS))
        else:
            self._left(now)

    def _left(self, now: Now) -> None:
        assert self.membership is not None
        self._do(CancelDeadline(LeaveLate()))
        left, self.membership = self.membership, None
        self.phase = Phase.STANDBY
        self.floor = MeetingFloor()
        self.microphone.gated = False
        self.microphone.rest()
        self.camera.rest()
        following = self.departure.left(left.id, now)
        if following is not None and isinstance(following.body, Join):
            self.begin(following, following.body, now)
        else:
            self._lamp.closed()
            self._display.release()

    def _stuck(self, membership: Membership, now: Now) -> None:
        """The media process outlived SIGKILL: a driver hangs in the kernel. Who waits is told; the lamp
        stays on, and the rest follows if the media process ever goes."""
        self.phase = Phase.FAULT
        text = (
            f"The media process does not end: a device hangs. Restart the machine ({membership.id})"
        )
        if self.departure.following is not None:
            self.forget()
        self.departure.stuck(text, now)
        self._tell("fault", Code.DEVICE_FAILED, text, now)

    def process_exited(self, text: str, now: Now) -> None:
        """The media process is gone: as wished, or a failure that is mended by starting another."""
        self.microphone.process_gone(now, goes_on=self.held)
        self.camera.process_gone()
        self._recording.process_gone(now)
        self.process.exited()
        membership = self.membership
        if self._standby.showing:
            self._standby.exited()
            if membership is not None and self.held:
                self._start_process(membership)
                return
        if membership is None:
            return
        if not self.held:
            self._left(now)
            return
        membership.failures += 1
        membership.reset_links()
        membership.published_before = None
        self.changes.requests.clear()  # the next one has all of it in its plan
        self._tell("media-restarted", Code.MEDIA_PROCESS_FAILED, text, now)
        joining = self.phase is Phase.JOINING or not membership.joined_once
        if joining and self.arrival.awaited and membership.failures >= MAX_JOIN_FAILURES:
            self._fail_join(membership, Code.MEDIA_PROCESS_FAILED, text, now)
            return
        if self.phase is Phase.IN_MEETING:
            self.phase = Phase.RECONNECTING
        self.process.start_later(membership.failures)

    def follow_display(self, *, announced: bool) -> None:
        """Between meetings the room's name stands on a display that is on, and what is `announced`."""
        shows = self._profile.has_screen and self._display.on
        self._standby.follow(self.phase is Phase.STANDBY and (shows or announced))

    # --- deadlines -------------------------------------------------------------------------------

    def join_late(self, now: Now) -> None:
        """The time that joining may take is over."""
        self.check(now, settled=True)
        if self.membership is not None and self.phase is Phase.JOINING:
            self._join_is_due(self.membership, now)
        elif self.membership is not None and self.held and self.arrival.awaited:
            self.changes.late(self.membership, now)

    def join_again(self, now: Now) -> None:
        """The pause after a join that failed is over."""
        if plan := self.retry.due(now, free=self.phase is Phase.STANDBY):
            self.begin(plan.command, plan.join, now)

    def sources_late(self, now: Now) -> None:
        """Enough is there, and the rest of the sources had its moment."""
        self.check(now, settled=True)

    def leave_late(self, now: Now) -> None:
        """The media process must be gone by now."""
        if self.membership is not None and self.phase is Phase.LEAVING:
            self._stuck(self.membership, now)

    def start_media(self) -> None:
        """The pause after a failed media process is over."""
        self._standby.retry()
        if self.membership is not None and self.held and not self.process.running:
            self._start_process(self.membership)

    def end_due(self, now: Now) -> None:
        """Look whether the meeting's time is over, and leave if it is."""
        membership = self.membership
        if membership is not None and self.held and self.window.over(now):
            self._tell("meeting-over", Code.OK, f"meeting {membership.id}: its time is over", now)
            self.supersede_joins("the meeting's time is over", now)
            self.stop(now, membership.command, "the meeting's time is over")
