"""The room's day: which meeting the agenda wants it to be in now, and what is done before and after.

Instants come expanded from the hub (`agent.core.model.agenda`); the room joins, meets and leaves by them alone. A human's word
beats the agenda, and the agenda beats nothing: who left is not joined again for that item, and a meeting that a human began is
left only for an item of higher priority. docs/agenda.md has the rules as a table.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from msgspec import structs

from agent.core.again import pause_seconds, share
from agent.core.announcements import Announcements
from agent.core.context import Context
from agent.core.health import HealthBoard
from agent.core.meeting.control import MeetingControl
from agent.core.meeting.membership import Membership
from agent.core.model.agenda import Agenda, AgendaItem, AgendaMemory
from agent.core.model.clock import CLOCKS_APART, Now
from agent.core.model.commands import Call, Check, Code, Command, Join, Leave, Origin
from agent.core.model.deadlines import AgendaDue
from agent.core.model.documents import EventDetail, Phase
from agent.core.model.effects import CancelDeadline, RememberAgenda, SetDeadline
from agent.core.model.events import AgendaReceived, CommandReceived
from agent.core.model.media import Announcement
from agent.core.timetable import Timetable

POLL_SECONDS = 30.0
"""The wall clock may be set, and the machine may sleep: looked up this often while there is an agenda."""

SPREAD_SECONDS = 60
"""Over this long the checks of a hub's rooms are spread, each room always at the same moment."""

RUNG_SECONDS = 5.0
"""After it has rung in vain the room joins by itself; if it did not by then, it is told to."""

RECHECK_SECONDS = 120.0
"""After a device came or went: a loose cable must not check the room all the time."""

Obey = Callable[[CommandReceived, Now], None]
"""Takes a command as if it had come in."""


class AgendaControl:
    """Follows the newest document of each topic."""

    def __init__(
        self,
        context: Context,
        meeting: MeetingControl,
        announcements: Announcements,
        health: HealthBoard,
        obey: Obey,
    ) -> None:
        self._profile = context.profile
        self._rules = context.profile.agenda
        self._do = context.do
        self._tell = context.tell
        self._meeting = meeting
        self._lifecycle = meeting.lifecycle
        meeting.on_leave = self._left
        self._announcements = announcements
        self._health = health
        self._obey = obey
        self._memory = AgendaMemory()
        self._timetable = Timetable({})
        rules = self._rules
        self._checks = [
            (minutes, self._check_at(minutes)) for minutes in rules.check_minutes_before
        ]
        farthest = (
            *rules.check_minutes_before,
            rules.join_minutes_before,
            rules.announce_minutes_before,
        )
        self._near = timedelta(minutes=max(farthest) + 1)
        """So long before its beginning an item may matter."""
        self._joined: AgendaItem | None = None
        """The item that the room is in, or was brought to."""
        self._attempts: dict[str, tuple[int, float | None]] = {}
        """Item -> joins that were tried, and when (monotonic) the next one may be; None while one is under way."""
        self._announced: Announcement | None = None
        self._commands = 0
        self._checked_seconds = -RECHECK_SECONDS
        self._told: set[tuple[str, datetime, str]] = set()
        """What is done once an item and beginning: checks, the display, a word that the room is elsewhere."""

    # --- what comes in ---------------------------------------------------------------------------

    def restore(self, memory: AgendaMemory) -> None:
        """As the journal has it."""
        self._memory = memory
        self._timetable = Timetable(memory.documents)

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
        self._replace(self._memory.documents | {event.address: event.agenda})
        count = len(event.agenda.items)
        text = f"the agenda of {event.address} is version {event.agenda.version}: {count} meetings"
        detail = EventDetail(address=event.address, version=event.agenda.version, items=count)
        self._tell("agenda-changed", Code.OK, text, now, detail=detail)

    def _refuse(self, address: str, code: Code, text: str, now: Now) -> None:
        self._tell(
            "agenda-refused", code, f"{address}: {text}", now, detail=EventDetail(address=address)
        )

    def _left(self, leave: Leave, now: Now) -> None:
        """The hub or somebody in the room had it leave: it is not brought back to what is on now."""
        meeting = leave.meeting
        for item in self._open(now):
            if meeting in (None, item.join.meeting.id):
                self._memory = self._memory.dismiss(item.id, item.ends)
                self._do(RememberAgenda(self._memory))
                text = f"left by hand: not joined again for {item.title!r}"
                self._tell("agenda-dismissed", Code.OK, text, now, detail=EventDetail(item=item.id))

    # --- what it means now -----------------------------------------------------------------------

    def items(self, now: Now) -> list[AgendaItem]:
        """All that is to come or on, in order of time."""
        return self._timetable.to_come(now.wall)

    def follow(self, now: Now) -> None:
        """Do what is due. Called after every event; cheap when nothing is."""
        if not self._memory.documents:
            return
        if now.synchronised:  # by another clock nothing is over
            self._memory = self._memory.prune(now.wall)
        near = self._timetable.to_come(now.wall, self._near)
        more = bool(near) or self._timetable.has_more(now.wall)
        self._do(CancelDeadline(AgendaDue()))
        if now.synchronised and (more or self._joined):
            self._end_what_is_off(now)
            self._prepare(near, now)
            self._bring_in(now)
        self._announce(near, now)
        if more:
            self._do(SetDeadline(AgendaDue(), self._seconds_to_next(near, now)))

    def _open(self, now: Now) -> Iterator[AgendaItem]:
        """Those that the room may be in now."""
        ahead = timedelta(minutes=self._rules.join_minutes_before)
        for item in self._timetable.to_come(now.wall, ahead):
            if not item.cancelled:
                yield item

    def _wanted(self, now: Now) -> AgendaItem | None:
        """The one to be in: the one that it is in, unless another is more important; else the earliest."""
        candidates = [one for one in self._open(now) if one.id not in self._memory.dismissed]
        if not candidates:
            return None
        joined = self._joined.id if self._joined else None
        return min(
            candidates, key=lambda one: (-one.priority, one.id != joined, one.starts, one.id)
        )

    def _replace(self, documents: dict[str, Agenda]) -> None:
        self._memory = AgendaMemory(documents, self._memory.dismissed)
        self._timetable = Timetable(documents)
        named = {item.id for document in documents.values() for item in document.items}
        self._attempts = {one: tried for one, tried in self._attempts.items() if one in named}
        self._do(RememberAgenda(self._memory))

    def _bring_in(self, now: Now) -> None:
        item = self._wanted(now)
        if item is None:
            return
        membership = self._lifecycle.membership if self._lifecycle.held else None
        if membership is not None and membership.id == item.join.meeting.id:
            self._adopt(item, membership, now)
        elif membership is not None and not self._may_leave(membership, item, now):
            self._once(
                item,
                "elsewhere",
                now,
                f"the room is in meeting {membership.id}, not in {item.title!r}",
            )
        elif self._lifecycle.phase is not Phase.FAULT and self._may_try(item, now):
            self._join(item, now)

    def _may_leave(self, membership: Membership, item: AgendaItem, now: Now) -> bool:
        """An item that is over makes way for the next; a human's meeting, or one that was extended, for what is more
        important."""
        joined = self._joined
        if joined is None or joined.join.meeting.id != membership.id:
            return item.priority > 0
        extended = membership.join.until is None or membership.join.until > joined.ends
        if joined.ends <= now.wall and not extended:
            return True
        return item.priority > joined.priority

    def _adopt(self, item: AgendaItem, membership: Membership, now: Now) -> None:
        """It is in. An end that was moved since counts; one that somebody extended by hand stays."""
        before, self._joined = self._joined, item
        if self._lifecycle.phase is Phase.IN_MEETING:
            self._attempts.pop(item.id, None)
        moved = before is not None and before.id == item.id and before.ends != item.ends
        next_one = before is not None and before.id != item.id
        if (moved or next_one) and membership.join.until in (None, before.ends if before else None):
            self._order(item, now)

    def _join(self, item: AgendaItem, now: Now) -> None:
        tried = self._attempts.get(item.id, (0, None))[0]
        self._attempts[item.id] = (tried + 1, None)
        self._joined = item
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
        if item.ring and self._first(item, "rung"):
            call = Call(**how, until=item.ends, replace=True)
            self._attempts[item.id] = (1, now.monotonic_seconds + call.ring_seconds + RUNG_SECONDS)
            self._obey(CommandReceived(self._command("call", call, now)), now)
        else:
            join = Join(**how, until=item.ends, replace=True)
            self._meeting.join(self._command("join", join, now), join, None, now)

    def _command(self, type: str, body: Join | Call | Check, now: Now) -> Command:
        """As if the agenda were a sender; the id is another each time."""
        self._commands += 1
        unique = zlib.crc32(f"{now.wall}/{now.monotonic_seconds}/{self._commands}".encode())
        return Command(
            id=f"agenda-{type}-{unique:08x}",
            type=type,
            body=body,
            origin=Origin.AGENDA,
            sender="agenda",
        )

    def _end_what_is_off(self, now: Now) -> None:
        """The item that the room is in was cancelled, taken out or moved away."""
        joined, membership = self._joined, self._lifecycle.membership
        if joined is None or membership is None or not self._lifecycle.held:
            return
        if membership.id != joined.join.meeting.id or joined.ends <= now.wall:
            return
        ahead = timedelta(minutes=self._rules.join_minutes_before)
        current = self._timetable.find(joined.id, now.wall)
        stands = current is not None and not current.cancelled
        if (
            current is not None
            and stands
            and (current.starts - ahead <= now.wall or current.starts == joined.starts)
        ):
            return  # it is on; or it stands as it did, and the clock was set back
        if membership.command.origin is not Origin.AGENDA:
            self._joined = None  # a human began it, so a human ends it
            return
        why = "was moved" if stands else "is cancelled"
        text = f"{joined.title!r} {why}: leaving"
        self._tell("agenda-cancelled", Code.OK, text, now, detail=EventDetail(item=joined.id))
        self._joined = None
        self._lifecycle.supersede_joins(text, now)
        self._lifecycle.stop(now, membership.command, text)

    # --- before it begins ------------------------------------------------------------------------

    def _prepare(self, items: list[AgendaItem], now: Now) -> None:
        """The checks: at their times, and again when a device came or went after one that found a fault."""
        for item in items:
            if item.cancelled or item.starts <= now.wall or item.id in self._memory.dismissed:
                continue
            left = item.starts - now.wall
            due = [minutes for minutes, before in self._checks if left <= before]
            if not due:
                continue
            quiet = min(due) > self._rules.quiet_check_minutes_before
            if self._first(item, f"check-{min(due):g}") or self._is_stale(now):
                self._check(quiet, now)

    def _is_stale(self, now: Now) -> bool:
        """Whether the last check of this agenda does not hold any more."""
        if now.monotonic_seconds - self._checked_seconds < RECHECK_SECONDS:
            return False
        last = self._health.last_check.readiness(self._health.devices, now)
        return last.verdict == "unknown" and last.at is not None

    def _check(self, quiet: bool, now: Now) -> None:
        self._checked_seconds = now.monotonic_seconds
        body = Check(sound="off" if quiet else "on")
        self._obey(CommandReceived(self._command("check", body, now)), now)

    def _check_at(self, minutes: float) -> timedelta:
        """How long before the beginning this room's check is: a little later than asked, each room at its moment."""
        spread = SPREAD_SECONDS * share(self._profile.room)
        return timedelta(minutes=minutes) - timedelta(seconds=min(spread, minutes * 30))

    def _announce(self, items: list[AgendaItem], now: Now) -> None:
        """The next meeting's name and time on the screen, and what is wrong in the room, until it is in."""
        ahead = timedelta(minutes=self._rules.announce_minutes_before)
        item = next((one for one in items if self._is_near(one, ahead, now)), None)
        if not now.synchronised or self._lifecycle.phase is not Phase.STANDBY:
            item = None
        wanted = self._words(item, now) if item is not None else None
        if wanted == self._announced:
            return
        self._announced = wanted
        if wanted is not None:
            self._announcements.set(wanted)
        else:
            self._announcements.clear("agenda", in_meeting=self._lifecycle.held)

    def _words(self, item: AgendaItem, now: Now) -> Announcement:
        last = self._health.last_check.readiness(self._health.devices, now)
        worst = next((one.seen for one in last.findings if one.severity == "failed"), "")
        minutes = max(0, math.ceil((item.starts - now.wall).total_seconds() / 60))
        when = item.local or f"{item.starts:%H:%M} UTC"
        return Announcement("agenda", when, title=item.title, minutes_left=minutes, fault=worst)

    def _is_near(self, item: AgendaItem, ahead: timedelta, now: Now) -> bool:
        free = not item.cancelled and item.id not in self._memory.dismissed
        return free and item.starts - ahead <= now.wall < item.ends

    def _once(self, item: AgendaItem, what: str, now: Now, text: str) -> None:
        if self._first(item, what):
            self._tell(
                f"agenda-{what}", Code.IN_MEETING, text, now, detail=EventDetail(item=item.id)
            )

    def _first(self, item: AgendaItem, what: str) -> bool:
        """Whether this was not done yet for the item as it stands (moved, it is done again)."""
        key = (item.id, item.starts, what)
        if key in self._told:
            return False
        self._told = {one for one in self._told if one[1] >= item.starts - timedelta(days=2)} | {
            key
        }
        return True

    def _seconds_to_next(self, items: list[AgendaItem], now: Now) -> float:
        """Until something may be due; never longer than POLL_SECONDS, since the clock may be set."""
        rules = self._rules
        ahead = timedelta(minutes=rules.join_minutes_before)
        moments = [moment for one in items for moment in (one.starts - ahead, one.starts, one.ends)]
        left = [(moment - now.wall).total_seconds() for moment in moments if moment > now.wall]
        retries = [
            due - now.monotonic_seconds
            for _, due in self._attempts.values()
            if due is not None and due > now.monotonic_seconds
        ]
        return max(0.05, min([POLL_SECONDS, *left, *retries]))
