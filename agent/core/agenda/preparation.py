"""Before a meeting of the agenda begins: the room is checked, and its screen says what comes and what is wrong."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta

from agent.core.again import share
from agent.core.context import Context
from agent.core.health import HealthBoard
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.model.agenda import AgendaItem
from agent.core.model.announcement import (
    Announcement,
    LookAhead,
    MeetingSoon,
    NextMeeting,
    Retrying,
    RoomVerdict,
)
from agent.core.model.clock import Now
from agent.core.model.commands import Body, Check, Command, Origin
from agent.core.model.documents import Phase
from agent.core.model.events import CommandReceived
from agent.core.participation.taking_part import TakingPart

SPREAD_SECONDS = 60
"""Over this long the checks of a hub's rooms are spread, each room always at the same moment."""

RECHECK_SECONDS = 120.0
"""After a device came or went: a loose cable must not check the room all the time. A check just done is not done again."""

BROKEN_SECONDS = 300.0
"""After a check that came to no end: it broke down, or a meeting went before it."""

Obey = Callable[[CommandReceived, Now], None]
"""Takes a command as if it had come in."""


class Done:
    """What is done once an item and beginning: checks, the ring, a word that the room is elsewhere."""

    def __init__(self) -> None:
        self._done: set[tuple[str, datetime, str]] = set()

    def has(self, item: AgendaItem, what: str) -> bool:
        """Whether it was done for the item as it stands; moved, it is done again."""
        return (item.id, item.starts, what) in self._done

    def first(self, item: AgendaItem, what: str) -> bool:
        """Note it; whether it was not done yet."""
        if self.has(item, what):
            return False
        oldest = item.starts - timedelta(days=2)
        self._done = {one for one in self._done if one[1] >= oldest}
        self._done.add((item.id, item.starts, what))
        return True


class Orders:
    """What the agenda has the room do, as if it were a sender of commands."""

    def __init__(self, obey: Obey) -> None:
        self._obey = obey
        self._count = 0

    def give(self, type: str, body: Body, now: Now) -> None:
        """It is obeyed like any command."""
        self._obey(CommandReceived(self.command(type, body, now)), now)

    def command(self, type: str, body: Body, now: Now) -> Command:
        """The id is another each time."""
        self._count += 1
        unique = zlib.crc32(f"{now.wall}/{now.monotonic_seconds}/{self._count}".encode())
        return Command(
            id=f"agenda-{type}-{unique:08x}",
            type=type,
            body=body,
            origin=Origin.AGENDA,
            sender="agenda",
        )


class Preparation:
    """Has the room checked and its screen announce what it will be in: the caller leaves out items that are cancelled or
    were left by hand."""

    def __init__(
        self,
        context: Context,
        lifecycle: Lifecycle,
        taking_part: TakingPart,
        health: HealthBoard,
        orders: Orders,
    ) -> None:
        self._room = context.profile.room
        self._rules = context.profile.agenda
        self._times = [(one, self._check_at(one)) for one in self._rules.check_minutes_before]
        self._lifecycle = lifecycle
        self._check = taking_part.check
        self._announcements = taking_part.announcements
        self._health = health
        self._orders = orders
        self._done = Done()
        self._announced: Announcement | None = None
        self._checked_seconds = -BROKEN_SECONDS
        self._quiet = True
        """Whether the last check made no sound."""

    @property
    def announces(self) -> bool:
        """Whether something is on the screen that must be taken away one day."""
        return self._announced is not None

    def check(self, items: list[AgendaItem], now: Now) -> None:
        """The checks at their times, and again when a device came or went after one that found a fault."""
        for item in items:
            if item.starts <= now.wall:
                continue
            left = item.starts - now.wall
            due = [minutes for minutes, before in self._times if left <= before]
            if not due:
                continue
            quiet = min(due) > self._rules.quiet_check_minutes_before
            what = f"check-{min(due):g}"
            if self._done.has(item, what):
                if self._is_stale(now):
                    self._begin(quiet, now)
            elif self._holds(quiet, now) or self._begin(quiet, now):
                self._done.first(item, what)

    def _holds(self, quiet: bool, now: Now) -> bool:
        """Whether the last check is young enough for this item too: two items may begin at the same time."""
        young = now.monotonic_seconds - self._checked_seconds < RECHECK_SECONDS
        return young and (quiet or not self._quiet)

    def _is_stale(self, now: Now) -> bool:
        """Whether the last check of this agenda does not hold any more, or came to no end."""
        last = self._health.last_check
        ago = now.monotonic_seconds - self._checked_seconds
        if last.ended_seconds < self._checked_seconds:
            return ago >= BROKEN_SECONDS
        readiness = last.readiness(self._health.devices, now)
        return (
            ago >= RECHECK_SECONDS and readiness.verdict == "unknown" and readiness.at is not None
        )

    def _begin(self, quiet: bool, now: Now) -> bool:
        """False if the room can't be checked now: it is asked again."""
        if self._check.refusal() is not None:
            return False
        self._checked_seconds, self._quiet = now.monotonic_seconds, quiet
        self._orders.give("check", Check(sound="off" if quiet else "on"), now)
        return True

    def _check_at(self, minutes: float) -> timedelta:
        """How long before the beginning this room's check is: a little later than asked, each room at its moment."""
        spread = SPREAD_SECONDS * share(self._room)
        return timedelta(minutes=minutes) - timedelta(seconds=min(spread, minutes * 30))

    def announce(
        self, items: list[AgendaItem], fails: Callable[[AgendaItem], bool], now: Now
    ) -> None:
        """The next meeting's name and time on the screen, and what is wrong in the room, until it is in; of one whose join
        `fails`, why.
        """
        ahead = timedelta(minutes=self._rules.announce_minutes_before)
        near = [one for one in items if one.starts - ahead <= now.wall < one.ends]
        if not now.synchronised or self._lifecycle.phase is not Phase.STANDBY:
            near = []
        first = min(near, key=lambda one: (-one.priority, one.starts, one.id), default=None)
        wanted: Announcement | None = None
        if first is not None and fails(first):
            wanted = Retrying(first.title, self._lifecycle.last_failure or "")
        elif first is not None:
            wanted = self._words(first, now)
        if wanted == self._announced:
            return
        self._announced = wanted
        if wanted is not None:
            self._announcements.set("agenda", wanted)
        else:
            self._announcements.clear("agenda", in_meeting=self._lifecycle.held)

    def look_ahead(self, item: AgendaItem | None, now: Now) -> None:
        """Between meetings: what comes next, if that is soon, and whether the room is ready, if that is known."""
        wanted = None
        if self._lifecycle.phase is Phase.STANDBY:
            meeting = NextMeeting(item.title, item.starts) if item is not None else None
            ahead = LookAhead(meeting, self._verdict(now))
            wanted = ahead if ahead != LookAhead() else None
        self._announcements.look_ahead(wanted)

    def _words(self, item: AgendaItem, now: Now) -> MeetingSoon:
        minutes = max(0, math.ceil((item.starts - now.wall).total_seconds() / 60))
        when = item.local or f"{item.starts:%H:%M} UTC"
        return MeetingSoon(item.title, when, minutes, self._verdict(now))

    def _verdict(self, now: Now) -> RoomVerdict:
        """What is wrong by the last check, the worst of it, or that the room is ready; neither by a check that is not
        to be believed any more."""
        last = self._health.last_check.readiness(self._health.devices, now)
        worst = next((one for one in last.findings if one.severity == "failed"), None)
        if last.verdict == "no-go" and worst is not None:
            return RoomVerdict(fault=worst.seen, fault_code=worst.code)
        return RoomVerdict(is_ready=last.verdict == "go")
