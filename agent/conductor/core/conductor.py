"""The whole conductor: every event in, every effect out.

`decide` judges an operator's act, `handle` takes what happened. No I/O, no threads and no clock; the
same events give the same effects. What is remembered are the journal's entries: `restore` plays them.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from agent.conductor.core import deciding
from agent.conductor.core.acting import Acting
from agent.conductor.core.day import BY, Day
from agent.conductor.core.dues import Dues, EndDue, RoomDue
from agent.conductor.core.handing_over import HandingOver
from agent.conductor.core.meeting import OVERDUE, Meeting
from agent.conductor.core.member import RECALL_GAPS_SECONDS, Member, slot_of
from agent.conductor.core.model import entries as e
from agent.conductor.core.model.acts import Act, End, Extend, StartMeeting
from agent.conductor.core.model.command_id import CommandId
from agent.conductor.core.model.effects import Announce, Changed, Effect, Record
from agent.conductor.core.model.events import ActKept, DueCame, Event, LinkDown, LinkUp
from agent.conductor.core.model.orders import ShowOrder
from agent.conductor.core.model.profile import Profile
from agent.conductor.core.model.seen import (
    SeenAck,
    SeenAgenda,
    SeenConductor,
    SeenEvent,
    SeenHealth,
    SeenState,
)
from agent.conductor.core.observing import Observer
from agent.conductor.core.reconciling import Reconciler
from agent.conductor.core.refused import Refused
from agent.conductor.core.rooms import RETAINED_SECONDS, Rooms
from agent.conductor.core.views import Views
from agent.core.model.clock import Now
from agent.core.model.documents import Connection

STAYS_SECONDS = 60.0
"""A room that fell out stays on the stage for so long: most come back, and nobody is given other sources for it."""

FIRST_WARNING = 10_000
"""Revisions of the `show` that says that a speaker's time is over begin here: those below are the messages' numbers."""


class Conductor:
    """The meetings of one hub."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile
        self.rooms = Rooms()
        self.meetings: dict[int, Meeting] = {}
        """Those that run, and those of which a room has yet to be told that they are over."""
        self.link_up = False
        self.link_text = "not connected yet"
        self.day = Day(profile)
        self.views = Views(profile, self.rooms, self.meetings, self.day)
        self._rivals: dict[str, SeenConductor] = {}
        self._last_number = 0
        self._effects: list[Effect] = []
        self._dues = Dues()
        self._touched: set[tuple[int, str]] = set()
        """Rooms (with their meeting) to be reconciled at the end of this event."""
        self._changed_rooms: set[str] = set()
        self._meetings_changed = False
        self._quiet_until = float("-inf")
        """Monotonic seconds; until then the retained states are still coming, and no room is told anything."""
        self._now: Now | None = None
        self._observer = Observer(self._note)
        self._reconciler = Reconciler(
            profile, self.rooms, self._effects.append, self._note, self._later
        )
        self._acting = Acting(self.rooms, self._reconciler)
        self._handing_over = HandingOver(self.rooms, self._later)

    # --- what operators want -------------------------------------------------------------------------

    def decide(self, act: Act, by: str, now: Now) -> e.Entry:
        """The entry that makes it so, once it is in the journal. Raises Refused."""
        if isinstance(act, StartMeeting):
            self._check_start(act, now)
            return e.Entry(now.wall, e.Acted(self._last_number + 1, act), by)
        meeting = self.find(act.meeting)
        if not isinstance(act, End):
            deciding.check(act, meeting, now)
        return e.Entry(now.wall, e.Acted(meeting.number, act), by)

    def _check_start(self, act: StartMeeting, now: Now) -> None:
        """Raises Refused."""
        rivals = {
            one: other.name
            for other in self._rivals.values()
            if other.connection is Connection.ONLINE
            for one in other.meetings
        }
        deciding.check_start(act, self.running(), rivals, self.rooms, now)

    def find(self, id: str) -> Meeting:
        """The running meeting of this id. Raises Refused."""
        for meeting in self.running():
            if meeting.id == id:
                return meeting
        raise Refused("no-such-meeting", f"no meeting {id} is running here")

    def running(self) -> list[Meeting]:
        return [one for one in self.meetings.values() if not one.over]

    # --- what happened -------------------------------------------------------------------------------

    def restore(
        self, entries: Iterable[e.Entry], last_number: int, begun: Iterable[str] = ()
    ) -> None:
        """Be where the journal ends. Nothing is sent; what was under way goes on with `LinkUp`.

        `begun`: the agenda's items (`StartMeeting.item`) that have or had a meeting.
        """
        self._last_number = last_number
        self.day.begun.update(begun)
        for entry in entries:
            self._apply(entry)
        for meeting in self.meetings.values():
            meeting.set_stage(lambda member: member.entered)
            meeting.floor.parting.clear()

    def handle(self, event: Event, now: Now) -> list[Effect]:
        """What must be done about this event, in this order."""
        self._now = now
        self._handle(event, now)
        self._follow_day(now)
        self._restage(now)
        if self.link_up and now.monotonic_seconds >= self._quiet_until:
            self._reconcile(self._touched, now)
            self._reconcile(self._handing_over.follow(self.meetings, self._touched, now), now)
            self._touched.clear()
        self._forget_closed()
        if self._changed_rooms or self._meetings_changed or self.day.changed:
            self._effects.append(Changed(frozenset(self._changed_rooms), self.day.changed))
            self._changed_rooms.clear()
            self._meetings_changed = self.day.changed = False
        effects = self._effects[:]
        self._effects.clear()
        return effects

    def _reconcile(self, touched: set[tuple[int, str]], now: Now) -> None:
        """Tell these rooms (with their meeting) what they lack."""
        for number, room in sorted(touched):
            meeting = self.meetings.get(number)
            if meeting is not None and room in meeting.members:
                self._reconciler.reconcile(meeting, room, now)

    def due_at(self) -> float | None:
        """When `DueCame` is wanted, on the monotonic clock; None if nothing waits."""
        dues = (self.day.due, self._dues.next_seconds())
        return min((due for due in dues if due is not None), default=None)

    def _handle(self, event: Event, now: Now) -> None:
        match event:
            case SeenState():
                self._state_seen(event, now)
            case SeenHealth():
                before = self.rooms[event.room].verdict
                self.rooms[event.room].health = event
                self._changed_rooms.add(event.room)
                self.day.changed |= self.rooms[event.room].verdict != before
            case SeenAgenda():
                self.day.take(event, now)
            case SeenAck():
                self._ack_seen(event, now)
            case SeenEvent():
                self._event_seen(event)
            case SeenConductor():
                self._rival_seen(event)
            case ActKept(entry):
                self._apply(entry)
                if isinstance(entry.what, e.Acted):
                    self._follow_up(entry.what.number, entry.what.act, entry.by, now)
            case LinkUp():
                self._link_came(now)
            case LinkDown(text):
                self.link_up, self.link_text = False, text
                self.day.cut_off()
                self._meetings_changed |= bool(self.meetings)
            case DueCame():
                self._due_came(now)

    def _state_seen(self, event: SeenState, now: Now) -> None:
        seen = self.rooms[event.room]
        was_away = not seen.online
        if not seen.take(event):
            return
        self._changed_rooms.add(event.room)
        self.day.changed |= was_away == seen.online
        for meeting in self.running():
            if set(meeting.start.groups) & set(seen.groups) and event.room not in meeting.members:
                meeting.add(event.room)
        for meeting in self._meetings_of(event.room):
            member = meeting.members[event.room]
            was_in = member.entered
            self._observer.state(meeting, member, seen)
            self._look_anew(meeting, member, now, was_in=was_in, came_back=was_away and seen.online)
            self._touch(meeting, event.room)

    def _look_anew(
        self, meeting: Meeting, member: Member, now: Now, *, was_in: bool, came_back: bool
    ) -> None:
        """Who comes back is called at once; who fell out gets a moment to come back by itself."""
        slot = member.slots.get("presence")
        if came_back and slot is not None:
            slot.due_at = now.monotonic_seconds
        if was_in and not member.entered:
            member.fell_at = now.monotonic_seconds
            member.calls = 0
            self._later(now.monotonic_seconds + STAYS_SECONDS, meeting, member.room)
            if slot is not None and not came_back:
                slot.due_at = now.monotonic_seconds + RECALL_GAPS_SECONDS[0]
                self._later(slot.due_at, meeting, member.room)

    def _ack_seen(self, event: SeenAck, now: Now) -> None:
        id = CommandId.parse(event.id)
        if id is None or id.instance != self.profile.instance:
            return
        meeting = self.meetings.get(id.number)
        member = meeting.members.get(event.room) if meeting else None
        slot = member.slots.get(slot_of(id.type)) if member else None
        if meeting is None or slot is None or slot.revision != id.revision:
            return
        if self._observer.ack(meeting, slot, id.type, event):
            self._reconciler.settled(meeting, event.room, slot, now)
        elif slot.final is None:
            self._reconciler.accepted(meeting, event.room, slot, now)
        self._touch(meeting, event.room)

    def _event_seen(self, event: SeenEvent) -> None:
        for meeting in self._meetings_of(event.room):
            self._observer.event(meeting, event)
            self._touch(meeting, event.room)

    def _rival_seen(self, event: SeenConductor) -> None:
        """Of two conductors for one meeting the one that started later gives way."""
        if event.name == self.profile.name:
            return
        self._rivals[event.name] = event
        for meeting in self.running():
            claims = event.connection is Connection.ONLINE and meeting.id in event.meetings
            earlier = (event.since, event.name) < (self.profile.since, self.profile.name)
            rival = event.name if claims and earlier else ""
            if meeting.rival in ("", event.name) and meeting.rival != rival:
                meeting.rival = rival
                self._touch_all(meeting)

    def _link_came(self, now: Now) -> None:
        self.link_up, self.link_text = True, ""
        self._quiet_until = now.monotonic_seconds + (RETAINED_SECONDS if self.meetings else 0.0)
        self._announce()
        self.day.linked(now)
        for meeting in self.meetings.values():
            self._end_later(meeting, now)
            for room in meeting.floor.holders:
                self._warn_later(meeting, room, now)
            self._meetings_changed = True
            for member in meeting.members.values():
                for slot in member.slots.values():
                    if slot.final is None:
                        slot.due_at = now.monotonic_seconds
                self._later(now.monotonic_seconds + RETAINED_SECONDS, meeting, member.room)

    def _due_came(self, now: Now) -> None:
        for due in self._dues.take(now.monotonic_seconds):
            meeting = self.meetings.get(due.number)
            match due:
                case RoomDue(_, room) if meeting is not None:
                    self._touch(meeting, room)
                    self._warn(meeting, room, now)
                case EndDue() if meeting is not None and meeting.is_overdue(now.wall):
                    self._note(e.Acted(meeting.number, End(meeting.id)))
                    self._follow_up(meeting.number, End(meeting.id), "", now)
                case EndDue() if meeting is not None and not meeting.over:
                    self._end_later(meeting, now)  # put off, or the wall clock was set back

    def _follow_day(self, now: Now) -> None:
        """Start what the agenda has now; end what was taken out of it or moved away."""
        for meeting, act in self.day.acts(self.running(), self._check_start, now):
            number = meeting.number if meeting is not None else self._last_number + 1
            if isinstance(act, e.Adopted):
                self._note(act, BY)
                continue
            self._note(e.Acted(number, act), BY)
            self._follow_up(number, act, BY, now)

    def _warn(self, meeting: Meeting, room: str, now: Now) -> None:
        """Tell a speaker, on its screen, that its time is over; once."""
        limit, since = meeting.start.speaking_seconds, meeting.floor.holders.get(room)
        if limit is None or since is None or room in meeting.floor.warned:
            return
        if (now.wall - since).total_seconds() >= limit:
            self._note(e.Warned(meeting.number, room))
            text = f"⏱ {limit / 60:g} min"
            order = ShowOrder(text, "warning", 20)
            revision = FIRST_WARNING + meeting.warnings
            self._reconciler.order(meeting, room, order, now, revision)

    # --- keeping track -------------------------------------------------------------------------------

    def _note(self, what: e.What, by: str = "") -> None:
        """Into the journal, and into the state by it."""
        assert self._now is not None
        entry = e.Entry(self._now.wall, what, by)
        self._effects.append(Record(entry))
        self._apply(entry)

    def _apply(self, entry: e.Entry) -> None:
        what = entry.what
        self._last_number = max(self._last_number, what.number)
        if isinstance(what, e.Acted) and isinstance(what.act, StartMeeting):
            self.meetings[what.number] = Meeting(what.number, what.act, entry.by, entry.at)
            self.day.begun.add(what.act.item)
        elif isinstance(what, e.Adopted):
            self.day.begun.add(what.item)
        meeting = self.meetings.get(what.number)
        if meeting is not None:
            meeting.apply(entry)
            self._meetings_changed = True

    def _meetings_of(self, room: str) -> list[Meeting]:
        return [one for one in self.meetings.values() if room in one.members]

    def _touch(self, meeting: Meeting, room: str) -> None:
        self._touched.add((meeting.number, room))
        self._meetings_changed = True
        self._changed_rooms.add(room)

    def _touch_all(self, meeting: Meeting) -> None:
        self._meetings_changed = True
        self._touched.update((meeting.number, room) for room in meeting.members)

    def _restage(self, now: Now) -> None:
        """Reckon anew who is on the stage of each touched meeting. Where that changed every room is to be told, else
        the chair and the rooms that wait for the floor.
        """
        for number in {number for number, _ in self._touched}:
            meeting = self.meetings[number]
            queue = meeting.floor.queue
            if meeting.set_stage(partial(self._is_there, meeting, now)):
                self._touch_all(meeting)
            elif queue or meeting.queue_touched:
                chair = [meeting.start.chair] if meeting.start.chair else []
                self._touched.update((number, room) for room in (*queue, *chair))
            meeting.queue_touched = bool(queue)

    def _is_there(self, meeting: Meeting, now: Now, member: Member) -> bool:
        """Whether others may play it: it is in the meeting, or fell out just now, or is about to come."""
        if member.entered or now.monotonic_seconds - member.fell_at < STAYS_SECONDS:
            return True
        slot = member.slots.get("presence")
        refused = slot is not None and slot.final is not None and not slot.done
        return self.rooms[member.room].online and not refused

    def _later(self, due: float, meeting: Meeting, room: str) -> None:
        self._dues.add(due, RoomDue(meeting.number, room))

    def _follow_up(self, number: int, act: Act, by: str, now: Now) -> None:
        """What an act brings with it that was applied just now."""
        meeting = self.meetings[number]
        if isinstance(act, StartMeeting | End):
            self._announce()
        if isinstance(act, StartMeeting | Extend):
            self._end_later(meeting, now)
        self._acting.follow_up(meeting, act, by, now)
        for room in meeting.floor.holders:
            self._warn_later(meeting, room, now)
        self._touch_all(meeting)

    def _warn_later(self, meeting: Meeting, room: str, now: Now) -> None:
        limit = meeting.start.speaking_seconds
        if limit is not None:
            spoken = (now.wall - meeting.floor.holders[room]).total_seconds()
            self._later(now.monotonic_seconds + max(0.0, limit - spoken), meeting, room)

    def _end_later(self, meeting: Meeting, now: Now) -> None:
        if meeting.until is not None:
            left = (meeting.until + OVERDUE - now.wall).total_seconds()
            due = now.monotonic_seconds + max(0.0, left)
            self._dues.add(due, EndDue(meeting.number))

    def _announce(self) -> None:
        self._effects.append(Announce([one.id for one in self.running()]))

    def _forget_closed(self) -> None:
        """Of a meeting that is over and that every room has left only the minutes remain."""
        for number in [one.number for one in self.meetings.values() if one.closed]:
            self._note(e.Closed(number))
            del self.meetings[number]
