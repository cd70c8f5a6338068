"""Plays rooms against the conductor's core: tests read like a meeting. Rooms here obey unless told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TypeVar

from agent.conductor.core.conductor import Conductor
from agent.conductor.core.model.acts import Act, StartMeeting
from agent.conductor.core.model.effects import Effect, Record, Send
from agent.conductor.core.model.entries import Entry
from agent.conductor.core.model.events import ActKept, DueCame, Event, LinkUp
from agent.conductor.core.model.orders import FloorOrder, JoinOrder, LeaveOrder, Order
from agent.conductor.core.model.profile import Profile
from agent.conductor.core.model.seen import (
    SeenAck,
    SeenEvent,
    SeenFloor,
    SeenMeeting,
    SeenState,
)
from agent.conductor.core.model.views import MeetingView
from agent.core.model.clock import Now
from agent.core.model.commands import AckState
from agent.core.model.documents import Connection, Phase

START = datetime(2026, 11, 22, 7, 15, tzinfo=UTC)
PROFILE = Profile(
    "hub", "c1", "http://media/{meeting}/{room}/whip", "http://media/{meeting}/{room}/whep"
)
Kind = TypeVar("Kind", bound=Order)


class FakeRoom:
    """A room as the contract has it. `deaf`: hears nothing; `idle`: acknowledges and does nothing."""

    def __init__(self, room: str, groups: list[str]) -> None:
        self.id, self.groups = room, groups
        self.deaf = self.idle = False
        self.connection = Connection.ONLINE
        self.meeting: str | None = None
        self.join: JoinOrder | None = None
        self.held = False
        self.position: int | None = None
        self.hand: str | None = None
        self.orders: list[tuple[str, Order]] = []
        self.answered: dict[str, SeenAck] = {}

    def state(self) -> SeenState:
        here = self.meeting is not None
        return SeenState(
            room=self.id,
            connection=self.connection,
            session="s1",
            phase=Phase.IN_MEETING if here else Phase.STANDBY,
            meeting=SeenMeeting(self.meeting) if self.meeting else None,
            microphone="live" if here else "off",
            name=self.id.title(),
            groups=self.groups,
            floor=SeenFloor(
                self.join.floor if self.join else "open", self.hand, self.position, self.held
            ),
        )

    def obey(self, id: str, order: Order) -> list[Event]:
        if self.deaf or self.connection is not Connection.ONLINE:
            return []
        self.orders.append((id, order))
        if id in self.answered:  # from its journal, and not run again
            return [self.answered[id]]
        if not self.idle:
            self._do(order)
        kind = str(order.__struct_config__.tag)
        assert kind in id
        ack = self.answered[id] = SeenAck(self.id, id, AckState.SUCCEEDED)
        return [SeenAck(self.id, id, AckState.ACCEPTED), self.state(), ack]

    def _do(self, order: Order) -> None:
        match order:
            case JoinOrder():
                self.meeting, self.join = order.meeting.id, order
            case LeaveOrder() if order.meeting == self.meeting:
                self.leave()
            case FloorOrder():
                self.held = order.state == "given"
                self.position = order.position
                if self.held:
                    self.hand = None

    def leave(self) -> None:
        self.meeting, self.join, self.held, self.hand = None, None, False, None


class Playbook:
    """A conductor, its journal and its rooms."""

    def __init__(
        self, *rooms: str, groups: tuple[str, ...] = ("all-of-us",), profile: Profile = PROFILE
    ) -> None:
        self.seconds = 0.0
        self.profile = profile
        self.rooms = {room: FakeRoom(room, list(groups)) for room in rooms}
        self.journal: list[Entry] = []
        self.sent: list[Send] = []
        self.core = Conductor(profile)
        self.tell(LinkUp(), *(room.state() for room in self.rooms.values()))

    jumped = timedelta()
    """By how much the wall clock was set."""

    @property
    def now(self) -> Now:
        return Now(self.seconds, START + timedelta(seconds=self.seconds) + self.jumped)

    def tell(self, *events: Event) -> None:
        """What happened, and what the rooms make of what follows."""
        waiting = list(events)
        while waiting:
            waiting += self._perform(self.core.handle(waiting.pop(0), self.now))

    def _perform(self, effects: list[Effect]) -> list[Event]:
        told: list[Event] = []
        for effect in effects:
            match effect:
                case Record(entry):
                    self.journal.append(entry)
                case Send():
                    self.sent.append(effect)
                    if effect.room in self.rooms:
                        told += self.rooms[effect.room].obey(effect.id, effect.order)
        return told

    def act(self, act: Act, by: str = "ha") -> None:
        entry = self.core.decide(act, by, self.now)
        self.journal.append(entry)
        self.tell(ActKept(entry))

    def start(self, chair: str | None = None, meeting: str = "hop", **fields: object) -> None:
        rooms = list(self.rooms)
        self.act(StartMeeting(meeting, rooms, chair=chair or rooms[0], **fields))  # type: ignore[arg-type]

    def wait(self, seconds: float) -> None:
        end = self.seconds + seconds
        while (due := self.core.due_at()) is not None and due <= end:
            self.seconds = max(self.seconds, due)
            self.tell(DueCame())
        self.seconds = end

    def say(self, *rooms: str) -> None:
        """These rooms publish their state."""
        self.tell(*(self.rooms[room].state() for room in rooms))

    def raise_hand(self, room: str) -> None:
        self.rooms[room].hand = f"{self.seconds}"
        self.say(room)

    def event(self, room: str, type: str, text: str = "") -> None:
        self.tell(SeenEvent(room, type, text=text))

    def die_and_return(self) -> None:
        """kill -9 and a new run from the journal; the broker's retained states come again."""
        core = Conductor(self.profile)
        closed = {
            one.what.number for one in self.journal if one.what.__struct_config__.tag == "closed"
        }
        last = max((one.what.number for one in self.journal), default=0)
        core.restore([one for one in self.journal if one.what.number not in closed], last)
        self.core = core
        self.tell(LinkUp(), *(room.state() for room in self.rooms.values()))

    def to(self, room: str, kind: type[Kind]) -> list[tuple[str, Kind]]:
        """The orders of this kind that went to the room, with their ids."""
        return [
            (one.id, one.order)
            for one in self.sent
            if one.room == room and isinstance(one.order, kind)
        ]

    def view(self, meeting: str = "hop") -> MeetingView:
        return next(one for one in self.core.views.meetings() if one.id == meeting)

    def status(self, room: str) -> str:
        return next(row.status for row in self.view().roster if row.room == room)

    def plays(self, room: str) -> list[str]:
        """Whom the room plays."""
        join = self.rooms[room].join
        assert join is not None
        return [source.url.split("/")[-2] for source in join.play]

    def pictures(self) -> dict[str, str]:
        return {r.id: r.join.publish.picture for r in self.rooms.values() if r.join}
