"""Plays events into a room and keeps what it wants done: the core's tests read like dialogues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import msgspec

from agent.core.model.clock import Now
from agent.core.model.command_codec import command_from
from agent.core.model.commands import Ack, AckState, Origin
from agent.core.model.deadlines import Deadline
from agent.core.model.documents import DeviceStatus, HostHealth, Phase, Status
from agent.core.model.effects import (
    CancelDeadline,
    Effect,
    PublishEvent,
    PublishState,
    SendAck,
    SetDeadline,
    StartMedia,
)
from agent.core.model.events import (
    CommandReceived,
    DeadlinePassed,
    Delivery,
    DisplaySwitched,
    Event,
    MediaExited,
    MediaReported,
)
from agent.core.model.media import (
    Applied,
    DeviceReported,
    DownlinkReported,
    MediaReport,
    UplinkReported,
)
from agent.core.model.profile import Profile
from agent.core.room import Room

START = datetime(2026, 11, 22, 7, 15, tzinfo=UTC)
SERVER = "http://media"
HOST = HostHealth(status=Status.OK, code="ok", text="")
E = TypeVar("E")

PROFILE = Profile(
    room="xa-a",
    name="Xã A",
    version="1.0",
    started=START,
    boot="boot-1",
    has_relay=True,
    required=frozenset({"microphone"}),
    fitted=frozenset({"camera", "microphone", "speaker", "display", "panel"}),
    publish_template=SERVER + "/{meeting}-{room}/whip",
    play_templates=(SERVER + "/{meeting}/whep",),
    display_warm_up_seconds=5,
    display_hold_seconds=60,
)


class Playbook:
    """One room and its clock. Every method that tells the room something returns the effects."""

    def __init__(self, profile: Profile = PROFILE) -> None:
        self.room = Room(profile)
        self.seconds = 0.0
        self.synchronised = True
        self._jumped = timedelta()
        self.effects: list[Effect] = []
        self.deadlines: dict[Deadline, float] = {}
        self._ids = 0

    @property
    def now(self) -> Now:
        wall = START + timedelta(seconds=self.seconds) + self._jumped
        return Now(self.seconds, wall, self.synchronised)

    def clock_jumps(self, forward: timedelta) -> None:
        """NTP sets the wall clock."""
        self._jumped += forward

    @property
    def phase(self) -> Phase:
        return self.room.lifecycle.phase

    def tell(self, event: Event) -> list[Effect]:
        effects = self.room.handle(event, self.now)
        for effect in effects:
            if isinstance(effect, SetDeadline):
                self.deadlines[effect.deadline] = self.seconds + effect.seconds
            elif isinstance(effect, CancelDeadline):
                self.deadlines.pop(effect.deadline, None)
        self.effects += effects
        return effects

    def wait(self, seconds: float) -> list[Effect]:
        """Let time pass; deadlines come when they are due."""
        end, effects = self.seconds + seconds, []
        while self.deadlines and min(self.deadlines.values()) <= end:
            deadline = min(self.deadlines, key=self.deadlines.__getitem__)
            self.seconds = self.deadlines.pop(deadline)
            effects += self.tell(DeadlinePassed(deadline))
        self.seconds = end
        return effects

    def command(self, type: str, *, id: str | None = None, **fields: Any) -> list[Effect]:
        """A command from the hub; `id` c1, c2, ... unless given."""
        self._ids += 1
        fields = msgspec.to_builtins(fields)
        if id:
            fields["id"] = id
        command = command_from(fields, type, Origin.HUB, lambda: f"c{self._ids}").command
        return self.tell(CommandReceived(command, Delivery(self._ids, 1)))

    def join(self, meeting: str = "giao-ban", **fields: Any) -> list[Effect]:
        return self.command("join", meeting={"id": meeting}, **fields)

    def report(self, report: MediaReport) -> list[Effect]:
        return self.tell(MediaReported(self.generation, report))

    def exit(self, text: str = "killed by SIGKILL") -> list[Effect]:
        return self.tell(MediaExited(self.generation, -9, text))

    def opened(self, device: str, status: Status = Status.OK, text: str = "") -> list[Effect]:
        code = "ok" if status is Status.OK else "unplugged"
        return self.report(
            DeviceReported(device, status is Status.OK, DeviceStatus(status, code, text))
        )

    def flow(self) -> list[Effect]:
        """Everything that the media process should bring about: devices open, media flows both ways."""
        effects = self.opened("camera") + self.opened("microphone")
        effects += self.report(UplinkReported("flowing"))
        for url in self.room.lifecycle.membership.downlinks:
            effects += self.report(DownlinkReported(url, "flowing"))
        return effects

    def light(self) -> list[Effect]:
        """The display is switched on and warm."""
        return self.tell(DisplaySwitched(True)) + self.wait(PROFILE.display_warm_up_seconds)

    def enter(self, **fields: Any) -> str:
        """Into a meeting the whole way; returns the join's id."""
        self.join(**fields)
        self.light()
        self.flow()
        assert self.phase is Phase.IN_MEETING
        return f"c{self._ids}"

    def applied(self, request: str, error: str = "") -> list[Effect]:
        return self.report(Applied(request, error))

    @property
    def generation(self) -> int:
        return self.all(StartMedia)[-1].generation

    def all(self, kind: type[E]) -> list[E]:
        return [effect for effect in self.effects if isinstance(effect, kind)]

    def acks(self, command_id: str) -> list[Ack]:
        return [e.ack for e in self.all(SendAck) if e.ack.id == command_id]

    def states(self, command_id: str) -> list[AckState]:
        return [ack.state for ack in self.acks(command_id)]

    def events(self) -> list[str]:
        return [e.event.type for e in self.all(PublishEvent)]

    @property
    def state(self) -> Any:
        return self.all(PublishState)[-1].state


def kinds(effects: list[Effect]) -> list[type[Effect]]:
    return [type(effect) for effect in effects]
