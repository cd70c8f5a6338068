"""The hub's day: the meetings that the rooms' agendas have, which of them begin or end now, and how ready their rooms are.

Rooms go by their agendas alone (`agent.core.agenda.control`); the conductor starts the same meetings, so that somebody
keeps the roster, the floor and the minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

from msgspec import Struct

from agent.conductor.core.meeting import Meeting
from agent.conductor.core.model.acts import Act, End, Extend, Mode, StartMeeting
from agent.conductor.core.model.entries import Adopted
from agent.conductor.core.model.profile import Profile
from agent.conductor.core.model.seen import SeenAgenda
from agent.conductor.core.model.views import DayView, ReadyRow
from agent.conductor.core.refused import Refused
from agent.conductor.core.rooms import RETAINED_SECONDS, Rooms
from agent.core.model.agenda import Agenda, AgendaItem
from agent.core.model.clock import Now

AHEAD = timedelta(minutes=2)
"""So long before the beginning rooms join by themselves, and the conductor begins."""

SHOWN = timedelta(hours=24)

POLL_SECONDS = 30.0
"""The wall clock may be set: the day is looked at this often while something is to begin."""

BY = "agenda"
"""Who started it, in minutes and audit."""


class Planned(Struct, frozen=True):
    """One item, and whose agendas have it: `room/...`, `group/...`."""

    item: AgendaItem
    addresses: list[str]

    @property
    def key(self) -> str:
        """What names this meeting at this time; moved, it is another one to be started."""
        return f"{self.item.id}@{self.item.starts.isoformat()}"

    @property
    def rooms(self) -> list[str]:
        return [one.removeprefix("room/") for one in self.addresses if one.startswith("room/")]

    @property
    def groups(self) -> list[str]:
        return [one.removeprefix("group/") for one in self.addresses if one.startswith("group/")]


class Day:
    """The newest agenda of every address, and which of its meetings were started."""

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._documents: dict[str, Agenda] = {}
        self._gone: set[str] = set()
        """Items (ids) that stood in a document and do not any more."""
        self.begun: set[str] = set()
        """Keys of what has or had a meeting, from the journal: who ended it early does not get it again."""
        self._ends: dict[str, datetime] = {}
        """Key -> the end that was followed last: another one that somebody gave by hand stays."""
        self._problems: dict[str, str] = {}
        """Why an item (key) could not be started."""
        self.changed = False
        """Whether it is to be shown anew."""
        self.due: float | None = None
        """When `acts` is to be asked again, on the monotonic clock."""
        self._from = float("inf")
        """Nothing is begun before (monotonic): the link is down, or has just come up."""

    def linked(self, now: Now) -> None:
        """The link came up; the retained agendas and states follow."""
        self._from = self.due = now.monotonic_seconds + RETAINED_SECONDS

    def cut_off(self) -> None:
        """The link is down: nothing can be begun."""
        self._from, self.due = float("inf"), None

    def take(self, seen: SeenAgenda, now: Now) -> None:
        """A document, or that its address was cleared. One that is not newer than what counts changes nothing."""
        before = self._documents.get(seen.address)
        if seen.agenda is None:
            self._documents.pop(seen.address, None)
        elif before is None or seen.agenda.version > before.version:
            self._documents[seen.address] = seen.agenda
        else:
            return
        if before is not None:
            self._gone |= {one.id for one in before.items}
        for document in self._documents.values():
            self._gone -= {one.id for one in document.items}
        self.changed = True
        if self._from < float("inf"):
            self.due = max(self._from, now.monotonic_seconds)

    def acts(
        self, running: list[Meeting], check: Callable[[StartMeeting, Now], None], now: Now
    ) -> Iterator[tuple[Meeting | None, Act | Adopted]]:
        """What the agenda wants done now: acts upon `running` meetings, and starts, which come with None. The caller does
        each before it takes the next one. Nothing before `due`, which is set anew.

        `check` raises Refused for what can't be started: why is shown, and it is tried again.
        """
        if self.due is None or now.monotonic_seconds < self.due:
            return
        self.due = None
        planned = self.planned(now.wall)
        for meeting in running:
            act = self._following(meeting, planned, now.wall) if meeting.start.item else None
            if act is not None:
                self.changed = True
                yield meeting, act
        for one in planned if self._profile.agenda else []:
            if one.item.cancelled or one.key in self.begun:
                continue
            left = (one.item.starts - AHEAD - now.wall).total_seconds()
            if left > 0:
                self._look_again(min(left, POLL_SECONDS), now)
                continue
            yield from self._beginning(one, running, check, now)

    def _beginning(
        self,
        one: Planned,
        running: list[Meeting],
        check: Callable[[StartMeeting, Now], None],
        now: Now,
    ) -> Iterator[tuple[Meeting | None, Act | Adopted]]:
        """Its start; of a meeting that runs already only its end, if the agenda began it."""
        same = next((m for m in running if m.id == one.item.join.meeting.id), None)
        if same is not None:
            yield same, Adopted(same.number, one.key)
            if same.start.item and same.until and same.until < one.item.ends:
                yield same, Extend(same.id, one.item.ends)
            return
        start = self._start(one)
        try:
            check(start, now)
        except Refused as error:
            self.changed |= self._problems.get(one.key) != error.text
            self._problems[one.key] = error.text
            self._look_again(POLL_SECONDS, now)
        else:
            self.changed = True
            self._problems.pop(one.key, None)
            yield None, start

    def _look_again(self, seconds: float, now: Now) -> None:
        due = now.monotonic_seconds + seconds
        self.due = due if self.due is None else min(self.due, due)

    def planned(self, now: datetime) -> list[Planned]:
        """What is on or to come, in order of time."""
        found: dict[tuple[str, datetime, datetime, bool], Planned] = {}
        for address in sorted(self._documents):
            document = self._documents[address]
            for item in document.items if document.valid_until > now else []:
                if item.ends > now:
                    key = (item.id, item.starts, item.ends, item.cancelled)
                    addresses = found[key].addresses if key in found else []
                    found[key] = Planned(item, [*addresses, address])
        return sorted(found.values(), key=lambda one: (one.item.starts, one.item.id))

    def _start(self, planned: Planned) -> StartMeeting:
        """As an operator would; without a chair's room in the settings it is a discussion."""
        item, profile = planned.item, self._profile
        chair = profile.agenda_chair
        return StartMeeting(
            meeting=item.join.meeting.id,
            rooms=planned.rooms,
            groups=planned.groups,
            chair=chair,
            title=item.title,
            mode=profile.agenda_mode if chair else Mode.DISCUSSION,
            until=item.ends,
            recording=item.join.recording,
            urgent=item.ring,
            item=planned.key,
        )

    def _following(self, meeting: Meeting, planned: list[Planned], now: datetime) -> Act | None:
        """What a meeting that was started for an item needs now: its end, or another time for it."""
        start = meeting.start
        if start.until is not None and start.until <= now:
            return None  # somebody extended it, or the next item goes on with it
        id = start.item.rpartition("@")[0]
        if id in self._gone:
            return End(start.meeting)
        same = [one for one in planned if one.item.id == id]
        if not same:
            return None
        # a room that has it cancelled for itself cancels it for no other, and a clock that was set back for nobody
        going = [
            one
            for one in same
            if not one.item.cancelled and (one.key == start.item or one.item.starts - AHEAD <= now)
        ]
        if not going:
            return End(start.meeting)
        item = going[0].item
        before = self._ends.get(start.item, start.until)
        self._ends[start.item] = item.ends
        if item.ends != before == meeting.until:
            return Extend(start.meeting, item.ends)
        return None

    def view(self, rooms: Rooms, running: dict[str, int], now: datetime) -> list[DayView]:
        """What begins within a day. `running`: meeting -> its number."""
        return [
            DayView(
                item=one.item.id,
                title=one.item.title,
                starts=one.item.starts,
                ends=one.item.ends,
                local=one.item.local,
                meeting=one.item.join.meeting.id,
                cancelled=one.item.cancelled,
                number=running.get(one.item.join.meeting.id),
                problem=self._problems.get(one.key, ""),
                rooms=list(_rows(one, rooms)),
            )
            for one in self.planned(now)
            if one.item.starts - SHOWN <= now
        ]


def members(planned: Planned, rooms: Rooms) -> set[str]:
    """Who is meant, as far as rooms say which groups they are in."""
    return {*planned.rooms, *rooms.in_groups(planned.groups)}


def _rows(planned: Planned, rooms: Rooms) -> Iterator[ReadyRow]:
    """Worst first."""
    views = [rooms[room].view() for room in sorted(members(planned, rooms))]
    for view in sorted(views, key=lambda one: (-one.severity, one.readiness == "go", one.name)):
        verdict = view.readiness if view.connection == "online" else "away"
        yield ReadyRow(view.room, view.name, verdict, view.faults[0] if view.faults else "")
