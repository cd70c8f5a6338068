"""A room's random life: commands, reports, presses, crashes between any two effects, restarts.

Plays the journal, the broker, the media process and the relay as far as the core can tell them from the
real ones; `tests/core/test_random_lives.py` looks at the promises.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast, get_args

from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.announcement import Message
from agent.core.model.clock import Now
from agent.core.model.command_codec import command_from
from agent.core.model.commands import FINAL_STATES, Ack, Command, Origin
from agent.core.model.deadlines import Deadline, HealthDue
from agent.core.model.documents import DeviceStatus, Status
from agent.core.model.events import (
    CheckEnded,
    CommandReceived,
    DeadlinePassed,
    Delivery,
    DisplaySwitched,
    Event,
    HostSampled,
    LampSet,
    LineChanged,
    MediaExited,
    MediaReported,
    MeetingRecord,
    StopRequested,
)
from agent.core.model.media import (
    Applied,
    DeviceReported,
    DownlinkReported,
    MediaPlan,
    MediaReport,
    MeetingPlan,
    RecordingReported,
    SetAnnouncement,
    SetMicrophone,
    SetRecording,
    UplinkReported,
)
from agent.core.room import Room
from agent.ports import Journal
from agent.runtime.recorder import Recorder, segments
from agent.runtime.restoring import restored
from tests.core import disk
from tests.core.disk import Disk
from tests.core.playbook import HOST, PROFILE, SERVER, START

ROOMS = get_args(disk.Room)
OK = DeviceStatus(Status.OK, "ok", "")


class Crash(Exception):
    """The power is cut, or somebody sends SIGKILL."""


@dataclass
class MediaProcess:
    """The media process, which confirms most of what it is told."""

    generation: int
    plan: MediaPlan
    live: bool
    recording: bool
    microphone_open: bool = False
    stopping: bool = False
    told_live: bool = False
    """What it was last told of its microphone, whether or not it listened."""


class Life:
    """From `step` to `step`; then `settle`, until every command is answered."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._profile = structs.replace(PROFILE, has_screen=self._coin(), has_relay=self._coin())
        self._synchronised = self._coin()
        self._jumped = timedelta()
        self._seconds = 0.0
        self.disk = Disk(self._chance)
        self._all: list[Command] = []
        self._relay = False
        self._unacknowledged: dict[int, Command] = {}
        self.meeting: MeetingRecord | None = None
        """Which it is in, by the journal or by what it still owes the journal."""
        self.published: defaultdict[str, list[Ack]] = defaultdict(list)
        self.given = 0
        self._start()

    def _start(self) -> None:
        self.media_process: MediaProcess | None = None
        self.lamp, self.ended = "off", False
        self.checking: int | None = None
        self.deadlines: dict[Deadline, float] = {}
        self.room = Room(self._profile)
        waiting = [CommandReceived(c, Delivery(m, 1)) for m, c in self._unacknowledged.items()]
        self._inbox: list[Event] = [*waiting]
        self._recorder = Recorder(cast(Journal, self.disk))
        boot = f"boot {self._chance.randint(0, 1)}"
        display_on = self._relay or not self._profile.has_relay
        before = restored(cast(Journal, self.disk), boot, display_on)
        self.meeting = before.meeting
        self._tell(before)

    @property
    def now(self) -> Now:
        wall = START + timedelta(seconds=self._seconds) + self._jumped
        return Now(self._seconds, wall, self._synchronised)

    def _coin(self) -> bool:
        return self._chance.random() < 0.5

    # --- what happens ----------------------------------------------------------------------------

    def step(self) -> None:
        """One thing happens; now and then the room does not live to the end of it."""
        if self.ended:
            self.disk.crash()
            self._start()
            return
        if not self._synchronised and self._chance.random() < 0.005:
            self._synchronised = True
            self._jumped = timedelta(days=self._chance.choice([0, 1, 900]))
        elif self._chance.random() < 0.003:  # somebody sets it by hand, wrong or right
            self._jumped = timedelta(days=self._chance.choice([-9000, -1, 0, 1, 900]))
        if self._chance.random() < 0.005:
            self.disk.room = self._chance.choice(ROOMS)
        crash_after = self._chance.randint(0, 12) if self._chance.random() < 0.01 else None
        try:
            self._tell(self._happening(), crash_after)
        except Crash:
            self.disk.crash()
            self._start()

    def _happening(self) -> Event:
        dice, process = self._chance.random(), self.media_process
        if self._inbox and dice < 0.5:
            return self._inbox.pop(0)
        if dice < 0.65:
            return self._again() if self._all and self._chance.random() < 0.1 else self._command()
        if dice < 0.67:
            button = "mute-button" if self._coin() else "camera-button"
            return LineChanged(button, self._coin())
        if self.checking is not None and self._chance.random() < 0.1:
            return self._checked()
        if dice < 0.675:
            return StopRequested("SIGTERM")
        if process is not None and (dice < 0.69 or (process.stopping and dice < 0.85)):
            return self._exit(process)
        if process is not None and dice < 0.85:
            return MediaReported(process.generation, self._report(process))
        return self._deadline()

    def settle(self) -> None:
        """No more commands: the media process does as it is told, time passes,
        the broker delivers, the disk has room."""
        self.disk.room = "free"
        self._inbox.append(self._command())
        for _ in range(3000):
            if self.ended:
                self.disk.crash()
                self._start()
            elif self._inbox:
                self._tell(self._inbox.pop(0))
            elif self.media_process is not None and self.media_process.stopping:
                self._tell(self._exit(self.media_process))
            elif self.checking is not None:
                self._tell(self._checked())
            elif self._unacknowledged:
                number, command = next(iter(self._unacknowledged.items()))
                self._tell(CommandReceived(command, Delivery(number, 1)))
            elif self.room.answers.open:
                self._tell(self._deadline())
            else:
                return
        raise AssertionError(f"never answered: {list(self.room.answers.open)}")

    def _command(self) -> CommandReceived:
        self.given += 1
        meeting, coin = self._chance.choice("ab"), self._coin()
        until = (self.now.wall + timedelta(seconds=self._chance.randint(-5, 200))).isoformat()
        urls = [
            f"{SERVER}/{name}" for name in self._chance.sample("pqr", self._chance.randint(0, 3))
        ]
        word = "on" if coin else "off"
        kinds: list[tuple[str, dict[str, Any]]] = [
            ("join", {"replace": coin, "microphone": "live", "recording": word}),
            ("join", {"play": [{"url": url} for url in urls]}),
            ("join", {"until": until}),
            ("join", {"floor": "request" if coin else "open", "microphone": "live"}),
            ("join", {"camera": "off" if coin else "live", "publish": {"url": f"{SERVER}/other"}}),
            ("join", {"publish": None}),
            ("call", {"then": "join" if coin else "nothing", "replace": coin, "ring_seconds": 9}),
            ("floor", {"state": self._chance.choice(["given", "queued", "none"])}),
            (
                "show",
                {"text": "Điểm danh", "answers": ["có", "chưa"][: self._chance.randint(0, 2)]},
            ),
            ("show", {"text": "Mưa to", "seconds": 60}),
            ("hide", {}),
            ("check", {}),
            ("leave", {}),
            ("leave", {"meeting": meeting}),
            ("mute", {}),
            ("unmute", {}),
            ("volume", {"speaker": 40}),
            ("record", {"recording": word}),
            ("display", {"power": word}),
            ("identify", {}),
            ("report", {}),
            ("restart", {"scope": "agent" if coin else "host"}),
        ]
        type, fields = self._chance.choice(kinds)
        if type in ("join", "call"):
            fields["meeting"] = {"id": meeting, "title": self._chance.choice(["", "Giao ban"])}
        command = command_from(fields, type, Origin.HUB, lambda: f"c{self.given}").command
        self._unacknowledged[self.given] = command
        self._all.append(command)
        return CommandReceived(command, Delivery(self.given, 1))

    def _again(self) -> CommandReceived:
        """A hub that repeats itself, with QoS 0."""
        return CommandReceived(self._chance.choice(self._all), None)

    def _checked(self) -> CheckEnded:
        assert self.checking is not None
        number, self.checking = self.checking, None
        return CheckEnded(number, complete=self._coin(), error="" if self._coin() else "it broke")

    def _exit(self, process: MediaProcess) -> MediaExited:
        self.media_process = None
        return MediaExited(process.generation, -9, "killed")

    def _report(self, process: MediaProcess) -> MediaReport:
        if not isinstance(process.plan, MeetingPlan):
            return DeviceReported("display", True, OK)
        reports: list[MediaReport] = [
            DeviceReported("microphone", True, OK),
            DeviceReported("camera", self._coin(), OK),
            RecordingReported(process.recording, "/recordings/a.mp4"),
        ]
        for state in ("flowing", "flowing", "stalled", "refused"):
            reports.append(UplinkReported(state))  # type: ignore[arg-type]
            for url in ("p", "q", "r", "a/whep", "b/whep"):
                reports.append(DownlinkReported(f"{SERVER}/{url}", state))  # type: ignore[arg-type]
        report = self._chance.choice(reports)
        process.microphone_open |= report == reports[0]
        return report

    def _deadline(self) -> DeadlinePassed:
        deadline = min(self.deadlines, key=self.deadlines.__getitem__)
        self._seconds = max(self._seconds, self.deadlines.pop(deadline))
        if deadline == HealthDue():
            self._inbox.append(HostSampled(HOST))
        return DeadlinePassed(deadline)

    # --- what the room does about it -------------------------------------------------------------

    def _tell(self, event: Event, crash_after: int | None = None) -> None:
        if isinstance(event, CommandReceived):
            known, earlier = self.disk.look_up(event.command.id)
            event = structs.replace(event, known=known, earlier=earlier)
        done = 0
        for segment in segments(self.room.handle(event, self.now)):
            if done == crash_after:
                raise Crash
            self._recorder.record(segment)
            for effect in segment:
                if isinstance(effect, do.RememberMeeting):
                    self.meeting = effect.record
                self._perform(effect)
                done += 1
                if done == crash_after:
                    raise Crash

    def _perform(self, effect: do.Effect) -> None:
        match effect:
            case do.AcknowledgeDelivery(delivery):
                self._unacknowledged.pop(delivery.mid, None)
            case do.SendAck(ack) if ack.state in FINAL_STATES:
                self.published[ack.id].append(ack)
            case do.SetDeadline(deadline, seconds):
                self.deadlines[deadline] = self._seconds + seconds
            case do.CancelDeadline(deadline):
                self.deadlines.pop(deadline, None)
            case do.SwitchDisplay(on):
                self._relay = on
                self._inbox.append(DisplaySwitched(on))
            case do.SetLamp(mode):
                self.lamp = mode
                self._inbox.append(LampSet())
            case do.EndDaemon():
                self.ended = True
            case do.StartMedia(generation, plan):
                assert self.media_process is None, "two media processes at a time"
                meeting = isinstance(plan, MeetingPlan)
                live, recording = meeting and plan.microphone_live, meeting and plan.recording
                self.media_process = MediaProcess(generation, plan, live, recording, told_live=live)
                if isinstance(plan.announcement, Message) and self._coin():
                    shown = Applied(plan.announcement.request)
                    self._inbox.append(MediaReported(generation, shown))
            case do.StartCheck() | do.StopCheck():
                self.checking = getattr(effect, "number", None)
            case do.StopMedia() if self.media_process is not None:
                self.media_process.stopping = True
            case do.InstructMedia(instruction) if self.media_process is not None:
                self._instruct(self.media_process, instruction)

    def _instruct(self, process: MediaProcess, instruction: Any) -> None:
        words = isinstance(instruction, SetAnnouncement)
        assert words or isinstance(process.plan, MeetingPlan), (
            "the standby picture is told words only"
        )
        if isinstance(instruction, SetMicrophone):
            process.told_live = instruction.live
        if process.stopping or self._chance.random() < 0.2:
            return  # it does not listen any more, or hangs
        if isinstance(instruction, SetMicrophone):
            process.live = instruction.live
        elif isinstance(instruction, SetRecording):
            process.recording = instruction.on
        asked = instruction.announcement if words else instruction
        request = getattr(asked, "request", "")
        if request:
            self._inbox.append(MediaReported(process.generation, Applied(request)))
