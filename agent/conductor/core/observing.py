"""What is seen of a room in a meeting, as entries: coming and going, hands, speaking, answers, faults."""

from __future__ import annotations

from collections.abc import Callable

from agent.conductor.core.meeting import Meeting
from agent.conductor.core.member import Member, Slot
from agent.conductor.core.model import entries as e
from agent.conductor.core.model.seen import SeenAck, SeenEvent
from agent.conductor.core.rooms import SeenRoom
from agent.core.model.commands import FINAL_STATES

ANSWERS = ("show-answered", "call-answered")


class Observer:
    """`note` takes the entries; each is noted when something changed, and only then."""

    def __init__(self, note: Callable[[e.What], None]) -> None:
        self._note = note

    def state(self, meeting: Meeting, member: Member, seen: SeenRoom) -> None:
        """The room's state came."""
        number, room, here = meeting.number, member.room, seen.is_in(meeting.id)
        if here and not member.entered and not meeting.over:
            self._note(e.Entered(number, room))
        if not here and member.entered:
            connection = str(seen.state.connection) if seen.away and seen.state else ""
            self._note(e.Fell(number, room, connection or ("over" if meeting.over else "left")))
        live = here and not meeting.over and self._audible(meeting, seen)
        if live != member.speaking and (here or member.speaking):
            self._note(e.Spoke(number, room, live))
        if here and not meeting.over:
            self._hand(meeting, member, seen)

    @staticmethod
    def _audible(meeting: Meeting, seen: SeenRoom) -> bool:
        """A live microphone without the floor is behind the room's own gate."""
        floor = seen.floor
        gated = floor is not None and floor.mode == "request" and not floor.held
        return seen.live and not gated and meeting.heard(seen.room)

    def _hand(self, meeting: Meeting, member: Member, seen: SeenRoom) -> None:
        floor = seen.floor
        if floor is None:
            return
        queued = member.room in meeting.floor.queue
        if floor.hand_since is None:
            member.hand_ignored = None
            if queued:
                self._note(e.HandLowered(meeting.number, member.room))
        elif (
            not queued
            and floor.hand_since != member.hand_ignored
            and member.room not in meeting.floor.holders
            and meeting.floor.by_request
        ):
            self._note(e.HandRaised(meeting.number, member.room))

    def event(self, meeting: Meeting, event: SeenEvent) -> None:
        """The room told of something."""
        number, room = meeting.number, event.room
        if event.type == "floor-returned" and room in meeting.floor.holders:
            self._note(e.FloorReturned(number, room))
        elif event.type in ANSWERS:
            text = event.detail.answer or event.text
            to = event.detail.show or event.detail.command
            self._note(e.Answered(number, room, to, text))
        elif event.type in ("fault", "media-restarted", "recording-failed") and not meeting.over:
            self._note(e.Faulted(number, room, event.code, event.text))

    def ack(self, meeting: Meeting, slot: Slot, kind: str, ack: SeenAck) -> bool:
        """The room answered an order; True if that was its final word, heard for the first time."""
        if ack.state not in FINAL_STATES or slot.final is not None:
            return False
        settled = e.Settled(
            meeting.number, ack.room, kind, slot.revision, ack.state, ack.code, ack.text[:300]
        )
        self._note(settled)
        return True
