"""The room's day: which meeting the agenda wants it to be in now.

Instants come expanded from the hub (`agent.core.model.agenda`); the room joins, meets and leaves by them alone. A human's word
beats the agenda, and the agenda beats nothing: who left is not joined again for that item, and a meeting that a human began is
left only for an item of higher priority. docs/agenda.md has the rules as a table; `agent.core.agenda.preparation` is what comes before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from msgspec import structs

from agent.core.again import pause_seconds
from agent.core.agenda.preparation import Done, Orders, Preparation
from agent.core.agenda.timetable import Timetable
from agent.core.context import Context
from agent.core.meeting.control import MeetingControl
from agent.core.meeting.membership import Membership
from agent.core.model.addresses import addresses_of
from agent.core.model.agenda import Agenda, AgendaItem, AgendaMemory
from agent.core.model.clock import CLOCKS_APART, Now
from agent.core.model.commands import Call, Code, Join, Leave, Origin
from agent.core.model.deadlines import AgendaDue
from agent.core.model.documents import EventDetail, Phase
from agent.core.model.effects import CancelDeadline, RememberAgenda, SetDeadline
from agent.core.model.events import AgendaReceived
from agent.core.model.local_queries import Standing

POLL_SECONDS = 30.0
"""The wall clock may be set, and the machine may sleep: looked up this often while there is an agenda."""

RUNG_SECONDS = 5.0
"""After it has rung in vain the room joins by itself; if it did not by then, it is told to."""

NEXT_AHEAD = timedelta(days=2)
"""Of what begins by then the screen says so between meetings: to the end of tomorrow, in any time zone."""


class AgendaControl:
    """Follows the newest document of each topic."""

    def __init__(
        self, context: Context, meeting: MeetingControl, preparation: Preparation, orders: Orders
    ) -> None:
        self._profile = context.profile
        self._ahead = timedelta(minutes=context.profile.agenda.join_minutes_before)
        self._do = context.do
        self._tell = context.tell
        self._meeting = meeting
        self._lifecycle = meeting.lifecycle
        meeting.on_leave = self._left
        self._preparation = preparation
        self._orders = orders
        self._memory = AgendaMemory()
        self._timetable = Timetable({})
        rules = context.profile.agenda
        farthest = (
            *rules.check_minutes_before,
            rules.join_minutes_before,
            rules.announce_minutes_before,
        )
        self._near = timedelta(minutes=max(farthest) + 1)
        """So long before its beginning an item may matter."""
        self._attempts: dict[str, tuple[int, float | None]] = {}
        """Item -> joins that were tried, and when (monotonic) the next one may be; None while one is under way."""
        self._overruled: tuple[str, int] = ("", 0)
        """The command of a human that the room is in a meeting by, and the most important item that was on then."""
        self._shortened: tuple[str, datetime] | None = None
        """An item that somebody gave an earlier end than the agenda's, and that end."""
        self._refused: dict[str, str] = {}
        """Address -> why its document was refused last: it comes again with every connection."""
        self._done = Done()

    # --- what comes in ---------------------------------------------------------------------------

    def restore(self, memory: AgendaMemory) -> None:
        """As the journal has it, without what a room of other groups was told: the settings may have changed."""
        mine = addresses_of(self._profile.room, self._profile.groups)
        documents = {a: document for a, document in memory.documents.items() if a in mine}
        self._memory = structs.replace(memory, documents=documents)
        self._timetable = Timetable(documents)

    def received(self, event: AgendaReceived, now: Now) -> None:
        """A document, the clearing of one, or something on its topic that is none."""
        if event.problem is not None:
            self._refuse(event.address, *event.problem, now)
            return
        kept = self._memory.documents.get(event.address)
        if event.agenda is None:
            if kept is not None:
                self._replace(
                    {a: d for a, d in self._memory.documents.items() if a != event.address}
                )
                self._tell(
                    "agenda-changed", Code.OK, f"the agenda of {event.address} is cleared", now
                )
            return
        if kept == event.agenda:
            return  # retained: it comes with every connection
        if kept is not None and event.agenda.version <= kept.version:
            text = f"version {event.agenda.version} is not newer than {kept.version}, which counts"
            self._refuse(event.address, Code.BAD_FIELD, text, now)
            return
        if now.synchronised and event.agenda.issued - now.wall > CLOCKS_APART:
            text = f"issued: {event.agenda.issued.isoformat()} is to come; are both clocks set?"
            self._refuse(event.address, Code.BAD_FIELD, text, now)
            return
        self._refused.pop(event.address, None)
        self._replace(self._memory.documents | {event.address: event.agenda})
        count = len(event.agenda.items)
        text = f"the agenda of {event.address} is version {event.agenda.version}: {count} meetings"
        if now.synchronised and event.agenda.valid_until <= now.wall:
            text += f"; it was valid until {event.agenda.valid_until.isoformat()}, so none counts"
        detail = EventDetail(address=event.address, version=event.agenda.version, items=count)
        self._tell("agenda-changed", Code.OK, text, now, detail=detail)

    def _refuse(self, address: str, code: Code, text: str, now: Now) -> None:
        if self._refused.get(address) == text:
            return  # retained: it was told
        self._refused[address] = text
        self._tell(
            "agenda-refused", code, f"{address}: {text}", now, detail=EventDetail(address=address)
        )

    def _left(self, leave: Leave, now: Now) -> None:
        """The hub or somebody in the room had it leave: it is not brought back to what is on now."""
        for item in self._open(now):
            if leave.meeting in (None, item.join.meeting.id):
                self._dismiss(item, now)

    def _dismiss(self, item: AgendaItem, now: Now) -> None:
        self._remember(self._memory.dismiss(item.id, now.wall))
        text = f"left by hand: not joined again for {item.title!r}"
        self._tell("agenda-dismissed", Code.OK, text, now, detail=EventDetail(item=item.id))

    # --- what it means now -----------------------------------------------------------------------

    def items(self, now: Now) -> list[AgendaItem]:
        """All that is to come or on, in order of time."""
        return self._timetable.to_come(now.wall)

    def standings(self, now: Now) -> dict[str, Standing]:
        """How the room stands to them, by their ids: of the others it joins each in its time, unless that is cancelled."""
        found = {item.id: self._standing(item, now) for item in self.items(now)}
        return {item_id: standing for item_id, standing in found.items() if standing is not None}

    def _standing(self, item: AgendaItem, now: Now) -> Standing | None:
        membership, joined = self._membership, self._memory.joined
        if item.cancelled:
            return None
        if self._memory.is_dismissed(item, self._ahead):
            return "left"
        if item.starts - self._ahead > now.wall or not now.synchronised:
            return None
        if membership is not None and membership.id == item.join.meeting.id:
            is_in = joined is not None and joined.id == item.id
            return "in" if is_in and self._lifecycle.phase is Phase.IN_MEETING else None
        if membership is not None:
            return "elsewhere"
        tried = self._attempts.get(item.id, (0, None))[0]
        return "failing" if tried > (1 if self._done.has(item, "rung") else 0) else None

    def follow(self, now: Now) -> None:
        """Do what is due. Called after every event; cheap when nothing is."""
        self._do_what_is_due(now)
        if self._profile.has_screen:
            self._preparation.look_ahead(self._next(now), now)

    def _next(self, now: Now) -> AgendaItem | None:
        """What the room will be in next, if that is so soon that people want to read it."""
        if not now.synchronised:
            return None
        coming = self._timetable.beginning(now.wall, NEXT_AHEAD)
        return next((item for item in coming if self._may_be_joined(item)), None)

    def _do_what_is_due(self, now: Now) -> None:
        memory = self._memory
        if not (memory.documents or memory.joined or self._preparation.announces):
            return
        if now.synchronised:  # by another clock nothing is over
            self._memory = memory.prune(now.wall)
        near = self._timetable.to_come(now.wall, self._near)
        more = bool(near) or self._timetable.has_more(now.wall)
        self._do(CancelDeadline(AgendaDue()))
        to_come = [one for one in near if self._may_be_joined(one)]
        if now.synchronised and (more or memory.joined):
            self._end_what_is_off(now)
            self._note_human(now)
            self._preparation.check(to_come, now)
            self._bring_in(now)
        self._preparation.announce(
            [one for one in to_come if self._may_be_joined(one)],
            lambda item: self._standing(item, now) == "failing",
            now,
        )
        if more:
            self._do(SetDeadline(AgendaDue(), self._seconds_to_next(near, now)))

    def _may_be_joined(self, item: AgendaItem) -> bool:
        return not item.cancelled and not self._memory.is_dismissed(item, self._ahead)

    def _open(self, now: Now) -> Iterator[AgendaItem]:
        """Those that the room may be in now."""
        for item in self._timetable.to_come(now.wall, self._ahead):
            if self._may_be_joined(item):
                yield item

    def _wanted(self, now: Now) -> AgendaItem | None:
        """The one to be in: the one that it is in, unless another is more important; else the earliest."""
        joined = self._memory.joined.id if self._memory.joined else None
        return min(
            self._open(now),
            key=lambda one: (-one.priority, one.id != joined, one.starts, one.id),
            default=None,
        )

    def _remember(self, memory: AgendaMemory) -> None:
        if memory != self._memory:
            self._memory = memory
            self._do(RememberAgenda(memory))

    def _replace(self, documents: dict[str, Agenda]) -> None:
        named = {item.id for document in documents.values() for item in document.items}
        self._attempts = {one: tried for one, tried in self._attempts.items() if one in named}
        self._timetable = Timetable(documents)
        self._remember(structs.replace(self._memory, documents=documents))

    def _be_in(self, item: AgendaItem | None) -> None:
        """It survives a power cut: a room must know afterwards why it is in a meeting that is cancelled."""
        self._remember(structs.replace(self._memory, joined=item))

    @property
    def _membership(self) -> Membership | None:
        return self._lifecycle.membership if self._lifecycle.held else None

    def _note_human(self, now: Now) -> None:
        """Who takes the room elsewhere overrules all that is on at that moment, however important."""
        membership = self._membership
        if membership is None or membership.command.origin is Origin.AGENDA:
            self._overruled = ("", 0)
        elif membership.command.id != self._overruled[0]:
            others = [one for one in self._open(now) if one.join.meeting.id != membership.id]
            most = max((one.priority for one in others), default=0)
            self._overruled = (membership.command.id, most)

    def _bring_in(self, now: Now) -> None:
        item = self._wanted(now)
        if item is None:
            return
        membership = self._membership
        if membership is not None and membership.id == item.join.meeting.id:
            self._adopt(item, membership, now)
        elif membership is not None and not self._may_leave(membership, item, now):
            if self._done.first(item, "elsewhere"):
                text = f"the room is in meeting {membership.id}, not in {item.title!r}"
                detail = EventDetail(item=item.id)
                self._tell("agenda-elsewhere", Code.IN_MEETING, text, now, detail=detail)
        elif self._lifecycle.phase is not Phase.FAULT and self._may_try(item, now):
            if self._was_shortened(item, now):
                self._dismiss(item, now)
            else:
                self._join(item, now)

    def _may_leave(self, membership: Membership, item: AgendaItem, now: Now) -> bool:
        """An item that is over makes way for the next; a human's meeting, or one that was extended, for what is more
        important."""
        joined = self._memory.joined
        if joined is None or joined.join.meeting.id != membership.id:
            return item.priority > self._overruled[1]
        extended = membership.join.until is None or membership.join.until > joined.ends
        if joined.ends <= now.wall and not extended:
            return True
        return item.priority > max(joined.priority, self._overruled[1])

    def _was_shortened(self, item: AgendaItem, now: Now) -> bool:
        """Whether somebody gave it an earlier end, and that is past."""
        short = self._shortened
        return short is not None and short[0] == item.id and short[1] <= now.wall

    def _adopt(self, item: AgendaItem, membership: Membership, now: Now) -> None:
        """It is in. An end that was moved since counts; one that somebody gave it by hand stays."""
        before, until = self._memory.joined, membership.join.until
        self._be_in(item)
        if self._lifecycle.phase is Phase.IN_MEETING:
            self._attempts.pop(item.id, None)
        if before is None or until is None:
            return
        ours = membership.command.origin is Origin.AGENDA
        if before.id != item.id:  # the next one in the same meeting
            follows = until == before.ends or (ours and before.ends <= until < item.ends)
        else:
            follows = until == before.ends != item.ends
            if ours and not follows:
                self._shortened = (item.id, until) if until < item.ends else None
        if follows:
            self._order(item, now)

    def _join(self, item: AgendaItem, now: Now) -> None:
        tried = self._attempts.get(item.id, (0, None))[0]
        self._attempts[item.id] = (tried + 1, None)
        self._be_in(item)
        self._shortened = None
        word = f", attempt {tried + 1}" if tried else ""
        text = f"joining {item.title!r} by the agenda{word}"
        self._tell("agenda-joining", Code.OK, text, now, detail=EventDetail(item=item.id))
        self._order(item, now)

    def _may_try(self, item: AgendaItem, now: Now) -> bool:
        if (
            self._lifecycle.phase is Phase.LEAVING
            or self._lifecycle.departure.next_meeting is not None
        ):
            return False  # it is on its way already
        tried, due = self._attempts.get(item.id, (0, 0.0))
        if due is None:  # it has just come out that the last one failed
            due = now.monotonic_seconds + pause_seconds(tried, self._profile.room)
            self._attempts[item.id] = (tried, due)
        return now.monotonic_seconds >= due

    def _order(self, item: AgendaItem, now: Now) -> None:
        """The join as a command of the agenda's, muted, until the item's end."""
        how = structs.asdict(item.join)
        if item.ring and self._done.first(item, "rung"):
            call = Call(**how, until=item.ends, replace=True)
            self._attempts[item.id] = (1, now.monotonic_seconds + call.ring_seconds + RUNG_SECONDS)
            self._orders.give("call", call, now)
        else:
            join = Join(**how, until=item.ends, replace=True)
            self._meeting.join(self._orders.command("join", join, now), join, None, now)

    def _end_what_is_off(self, now: Now) -> None:
        """The item that the room is in was cancelled, taken out or moved away."""
        joined, membership = self._memory.joined, self._membership
        if joined is None or membership is None:
            return
        if membership.id != joined.join.meeting.id or joined.ends <= now.wall:
            return
        current = self._timetable.find(joined.id, now.wall)
        why = self._why_off(joined, current, now)
        if not why:
            return
        self._be_in(None)
        if membership.command.origin is not Origin.AGENDA:
            return  # a human began it, so a human ends it
        text = f"{joined.title!r} {why}: leaving"
        self._tell("agenda-cancelled", Code.OK, text, now, detail=EventDetail(item=joined.id))
        self._lifecycle.supersede_joins(text, now)
        self._lifecycle.stop(now, membership.command, text)

    def _why_off(self, joined: AgendaItem, current: AgendaItem | None, now: Now) -> str:
        """Why the room must not be in it any more; empty if it may."""
        if current is None:
            documents = self._memory.documents.values()
            expired = [one for one in documents if one.valid_until <= now.wall]
            goes_on = any(one.id == joined.id for document in expired for one in document.items)
            return "" if goes_on else "is cancelled"  # it began while its document counted
        if current.cancelled:
            return "is cancelled"
        if current.starts == joined.starts:
            return ""  # it stands as it did, also when the clock was set back
        return "was moved" if current.starts - self._ahead > now.wall else ""

    def _seconds_to_next(self, items: list[AgendaItem], now: Now) -> float:
        """Until something may be due; never longer than POLL_SECONDS, since the clock may be set."""
        moments = [at for one in items for at in (one.starts - self._ahead, one.starts, one.ends)]
        left = [(moment - now.wall).total_seconds() for moment in moments if moment > now.wall]
        retries = [
            due - now.monotonic_seconds
            for _, due in self._attempts.values()
            if due is not None and due > now.monotonic_seconds
        ]
        return max(0.05, min([POLL_SECONDS, *left, *retries]))
