"""What a room shall do against what it says: the difference becomes orders, again and again.

An order goes out once for one wanted state, with an id made of meeting and revision; without an answer it
is repeated with the same id, after a refusal with a new one, at the times of a re-call.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from agent.conductor.core import staging
from agent.conductor.core.meeting import Meeting
from agent.conductor.core.member import (
    JOINING_SECONDS,
    LATE_SECONDS,
    RECALL_GAP_SECONDS,
    RECALL_GAPS_SECONDS,
    Member,
    Slot,
    slot_of,
)
from agent.conductor.core.model import entries as e
from agent.conductor.core.model.acts import Call
from agent.conductor.core.model.command_id import CommandId
from agent.conductor.core.model.effects import Effect, Send
from agent.conductor.core.model.orders import JoinOrder, LeaveOrder, Order
from agent.conductor.core.model.profile import Profile
from agent.conductor.core.rooms import Rooms, SeenRoom
from agent.core.model.clock import Now
from agent.core.model.commands import Code
from agent.core.model.tag import tag_of

ONCE = ("call", "show", "mute")
"""Orders that are given once; they are only repeated until the room has answered."""


class Reconciler:
    """`do` takes the effects, `note` an entry to journal and apply, `later` when to look again."""

    def __init__(
        self,
        profile: Profile,
        rooms: Rooms,
        do: Callable[[Effect], None],
        note: Callable[[e.What], None],
        later: Callable[[float, Meeting, str], None],
    ) -> None:
        self._profile = profile
        self._rooms = rooms
        self._do = do
        self._note = note
        self._later = later

    def reconcile(self, meeting: Meeting, room: str, now: Now) -> None:
        """Everything that this room lacks, as far as its time has come."""
        member, seen = meeting.members[room], self._rooms[room]
        if meeting.rival or member.released:
            return
        self._presence(meeting, member, seen, now)
        if seen.is_in(meeting.id) and not meeting.over:
            self._floor(meeting, member, seen, now)
        for kind in ONCE:
            slot = member.slots.get(kind)
            if slot is not None and slot.final is None and seen.online:
                self._repeat(meeting, member, slot, now)

    def order(
        self, meeting: Meeting, room: str, order: Order, now: Now, revision: int | None = None
    ) -> None:
        """Give an order, of a new revision for the room unless it has one for all rooms, such as a message's number."""
        member = meeting.members[room]
        if revision is None:
            revision = member.revision + 1
        self._note(e.Ordered(meeting.number, room, revision, order))
        self._send(meeting, member, member.slots[slot_of(tag_of(order))], now)

    def ring(self, meeting: Meeting, room: str, act: Call, by: str, now: Now) -> None:
        """Call the room, and join it anew if it is not there; `replace` fetches it from elsewhere."""
        wanted = staging.presence(meeting, room, self._rooms, self._profile)
        if not isinstance(wanted, JoinOrder):
            return
        call = staging.call(wanted, act.text, by, replace=act.replace)
        self.order(meeting, room, call, now)
        if not self._rooms[room].is_in(meeting.id):
            self.order(meeting, room, structs.replace(wanted, replace=act.replace), now)

    def settled(self, meeting: Meeting, room: str, slot: Slot, now: Now) -> None:
        """The room gave its final word: success is looked after soon, a refusal at the next call."""
        member = meeting.members[room]
        gap = LATE_SECONDS if slot.done else member.gap_seconds()
        self._look_again(meeting, member, slot, now, gap)

    def accepted(self, meeting: Meeting, room: str, slot: Slot, now: Now) -> None:
        """The room has it in its journal: nobody calls again while it is at it."""
        slot.accepted = True
        self._look_again(meeting, meeting.members[room], slot, now, JOINING_SECONDS)

    # --- being there -------------------------------------------------------------------------------

    def _presence(self, meeting: Meeting, member: Member, seen: SeenRoom, now: Now) -> None:
        slot = member.slots.get("presence")
        if meeting.over:
            self._see_off(meeting, member, seen, slot, now)
            return
        wanted = staging.presence(meeting, member.room, self._rooms, self._profile)
        if slot is None:
            self._first(meeting, member, wanted, now)
        elif seen.away:
            pass  # it is called when it returns, and then to what holds by then
        elif not staging.same(slot.order, wanted):
            self._replace(meeting, member, seen, wanted, now)
        elif seen.is_in(meeting.id) and slot.done:
            self._renew(meeting, member, slot, wanted, now)
        elif now.monotonic_seconds >= slot.due_at:
            self._call_again(meeting, member, seen, slot, wanted, now)

    def _first(self, meeting: Meeting, member: Member, wanted: Order, now: Now) -> None:
        member.calls = 1
        if meeting.start.urgent and isinstance(wanted, JoinOrder):
            call = staging.call(wanted, None, meeting.started_by)
            self.order(meeting, member.room, call, now)
        self.order(meeting, member.room, wanted, now)

    def _replace(
        self, meeting: Meeting, member: Member, seen: SeenRoom, wanted: Order, now: Now
    ) -> None:
        member.calls = 0 if seen.is_in(meeting.id) else member.calls
        self.order(meeting, member.room, wanted, now)

    def _call_again(
        self,
        meeting: Meeting,
        member: Member,
        seen: SeenRoom,
        slot: Slot,
        wanted: Order,
        now: Now,
    ) -> None:
        """The room does not do what it shall: the same id if it never answered, else a new one."""
        if not seen.is_in(meeting.id) or slot.final is not None:
            member.calls += 1
        if slot.final is None:
            self._send(meeting, member, slot, now)
        else:
            self.order(meeting, member.room, wanted, now)

    def _renew(self, meeting: Meeting, member: Member, slot: Slot, wanted: Order, now: Now) -> None:
        """New tokens at half of the old ones' life."""
        if self._profile.token_seconds is None:
            return
        age = (now.wall - slot.ordered_at).total_seconds()
        left = self._profile.token_seconds / 2 - age
        if left <= 0:
            self.order(meeting, member.room, wanted, now)
        elif not slot.renewal_set:
            slot.renewal_set = True
            self._later(now.monotonic_seconds + left, meeting, member.room)

    def _see_off(
        self, meeting: Meeting, member: Member, seen: SeenRoom, slot: Slot | None, now: Now
    ) -> None:
        """The meeting is over: the room leaves it, and is let go once it has said so."""
        if not isinstance(slot.order if slot else None, LeaveOrder):
            if slot is None:
                self._note(e.Released(meeting.number, member.room))
            else:
                member.calls = 1
                self.order(meeting, member.room, LeaveOrder(meeting.id), now)
            return
        assert slot is not None
        if seen.online and seen.meeting != meeting.id and slot.final is not None:
            self._note(e.Released(meeting.number, member.room))
        elif not seen.away and now.monotonic_seconds >= slot.due_at:
            wanted = LeaveOrder(meeting.id)
            self._call_again(meeting, member, seen, slot, wanted, now)

    # --- the floor -----------------------------------------------------------------------------------

    def _floor(self, meeting: Meeting, member: Member, seen: SeenRoom, now: Now) -> None:
        wanted = staging.floor(meeting, member.room)
        if wanted is None or member.floorless:
            return
        slot, held = member.slots.get("floor"), seen.floor is not None and seen.floor.held
        if slot is None:
            if wanted.state != "none" or held:
                self.order(meeting, member.room, wanted, now)
        elif slot.order != wanted:
            self.order(meeting, member.room, wanted, now)
        elif slot.final is None:
            self._repeat(meeting, member, slot, now)
        elif slot.final.code == Code.UNKNOWN_COMMAND:
            member.floorless = True
        elif now.monotonic_seconds >= slot.due_at and (
            not slot.done or (seen.floor is not None and held != (wanted.state == "given"))
        ):
            self.order(meeting, member.room, wanted, now)

    # --- sending ---------------------------------------------------------------------------------------

    def _repeat(self, meeting: Meeting, member: Member, slot: Slot, now: Now) -> None:
        if now.monotonic_seconds >= slot.due_at:
            self._send(meeting, member, slot, now)

    def _send(self, meeting: Meeting, member: Member, slot: Slot, now: Now) -> None:
        id = CommandId(self._profile.instance, meeting.number, tag_of(slot.order), slot.revision)
        self._do(Send(member.room, str(id), slot.order))
        slot.tries += 1
        slot.accepted = False
        self._look_again(meeting, member, slot, now, self._gap(member, slot))

    @staticmethod
    def _gap(member: Member, slot: Slot) -> float:
        """A room that is called waits by its calls, any other order by its own tries."""
        if isinstance(slot.order, JoinOrder | LeaveOrder) and member.calls:
            return member.gap_seconds()
        gaps = RECALL_GAPS_SECONDS
        return gaps[slot.tries - 1] if slot.tries <= len(gaps) else RECALL_GAP_SECONDS

    def _look_again(
        self, meeting: Meeting, member: Member, slot: Slot, now: Now, seconds: float
    ) -> None:
        slot.due_at = now.monotonic_seconds + seconds
        self._later(slot.due_at, meeting, member.room)
