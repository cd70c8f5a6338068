"""One meeting: its definition, who belongs to it, floor and messages, played from the journal's entries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from agent.conductor.core.floor import Floor
from agent.conductor.core.member import Member, Slot, slot_of
from agent.conductor.core.model import entries as e
from agent.conductor.core.model.acts import (
    Act,
    End,
    Extend,
    Give,
    Lower,
    Message,
    Mode,
    MuteAll,
    Next,
    StartMeeting,
    Take,
)
from agent.conductor.core.model.command_id import CommandId
from agent.conductor.core.model.orders import ShowOrder
from agent.conductor.core.model.views import MessageView
from agent.core.model.tag import tag_of

OVERDUE = timedelta(minutes=1)
"""Rooms leave by themselves so long after the meeting's end; then the hub ends it as well."""


class Meeting:
    """State of a meeting; `apply` is the only way in which it changes."""

    def __init__(self, number: int, start: StartMeeting, by: str, at: datetime) -> None:
        self.number = number
        self.start = start
        self.started, self.started_by = at, by
        self.id = start.meeting
        self.until = start.until
        self.ended: datetime | None = None
        self.floor = Floor(start.mode)
        self.members: dict[str, Member] = {}
        self.messages: list[MessageView] = []
        self.warnings = 0
        """How many speakers were told that their time is over."""
        self.stage: tuple[str, ...] = ()
        """Who is seen and heard by all, the chair first."""
        self.queue_touched = False
        self._released = 0
        self.rival = ""
        """Another conductor that runs a meeting of this id, and did before us."""
        for room in [*([start.chair] if start.chair else []), *start.rooms]:
            self.add(room)

    @property
    def over(self) -> bool:
        return self.ended is not None

    @property
    def closed(self) -> bool:
        """Over, and every room has left."""
        return self.over and self._released == len(self.members)

    def is_overdue(self, now: datetime) -> bool:
        """Whether it runs, and its rooms have left by themselves since its end is past."""
        return self.until is not None and not self.over and now >= self.until + OVERDUE

    def add(self, room: str) -> Member:
        return self.members.setdefault(room, Member(room))

    def apply(self, entry: e.Entry) -> None:
        """Make it so. The same entries give the same meeting."""
        match entry.what:
            case e.Acted(act=act):
                self._apply_act(act, entry)
            case e.Entered(room=room):
                member = self.add(room)
                member.entered = member.ever_entered = True
                member.calls = 0
            case e.Fell(room=room):
                member = self.add(room)
                member.entered = member.speaking = False
            case e.HandRaised(room=room):
                self.floor.raise_hand(room)
            case e.HandLowered(room=room):
                self.floor.lower(room)
            case e.FloorReturned(room=room):
                self.floor.take(room, entry.at)
            case e.Spoke(room=room, live=live):
                self.add(room).speaking = live
            case e.Warned(room=room):
                self.floor.warned.add(room)
                self.warnings += 1
            case e.Ordered():
                self._apply_ordered(entry.what, entry.at)
            case e.Settled():
                self._apply_settled(entry.what)
            case e.Answered(room=room, to=to, text=text):
                self._apply_answer(room, to, text)
            case e.Released(room=room):
                self._released += not self.add(room).released
                self.add(room).released = True

    def _apply_act(self, act: Act, entry: e.Entry) -> None:
        at, floor = entry.at, self.floor
        match act:
            case Give(room=room):
                floor.give(room, at)
            case Take(room=None) | MuteAll():
                floor.take_all(at)
            case Take(room=str() as room):
                floor.take(room, at)
            case Next() if floor.queue:
                floor.give(floor.queue[0], at)
            case Lower(room=room):
                floor.lower(room)
            case Extend(until=until):
                self.until = until
            case End() if not self.over:
                floor.take_all(at)
                floor.queue.clear()
                self.ended = at
            case Message():
                number = len(self.messages) + 1
                text, answers = act.text, act.answers
                self.messages.append(MessageView(str(number), at, entry.by, text, answers, {}))

    def _apply_ordered(self, what: e.Ordered, at: datetime) -> None:
        member = self.add(what.room)
        member.slots[slot_of(tag_of(what.order))] = Slot(what.revision, what.order, at)
        if not isinstance(what.order, ShowOrder):  # its revision is no count of the room's orders
            member.revision = max(member.revision, what.revision)

    def _apply_settled(self, what: e.Settled) -> None:
        slot = self.add(what.room).slots.get(slot_of(what.order))
        if slot is not None and slot.revision == what.revision:
            slot.final = what

    def _apply_answer(self, room: str, to: str, text: str) -> None:
        asked = CommandId.parse(to)
        if asked is None or (asked.number, asked.type) != (self.number, "show"):
            return  # somebody else's, or a call
        for message in self.messages:
            if message.id == str(asked.revision):
                message.answered[room] = text

    # --- who is seen -----------------------------------------------------------------------------

    def set_stage(self, is_there: Callable[[Member], bool]) -> bool:
        """Reckon anew who is on the stage; True if that changed.

        Only rooms that send already or can: playing one that isn't there costs a join its success.
        """
        if self.start.mode is Mode.DISCUSSION:
            wanted = list(self.members)
        else:
            wanted = [*([self.start.chair] if self.start.chair else []), *self.floor.holders]
        stage = tuple(room for room in wanted if is_there(self.add(room)))
        changed = stage != self.stage
        self.stage = stage
        return changed

    def heard(self, room: str) -> bool:
        """Whether the room may be heard by all: the chair, who has the floor, everybody in a discussion."""
        return room == self.start.chair or room in self.floor.holders or not self.floor.by_request
