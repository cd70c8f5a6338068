"""What the hub wants its rooms to know: meetings with the addresses they are for, as documents and as differences.

Kept in one JSON file on the operator's machine; documents are made of it and of what was published last.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Annotated, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct, structs

from agent.agenda.calendar import Occurrence, Reading, Version
from agent.core.model.addresses import ADDRESS
from agent.core.model.agenda import MAX_DAYS, MAX_ITEMS, Agenda, AgendaItem, meeting_id_of
from agent.core.model.commands import Attendance, Meeting
from agent.errors import AgentError

Address = Annotated[str, Meta(pattern=ADDRESS)]

WEEKDAYS = ("thứ hai", "thứ ba", "thứ tư", "thứ năm", "thứ sáu", "thứ bảy", "chủ nhật")


class Planned(Struct, frozen=True):
    """A meeting and whom it is for. `source` is the file that it came from, empty for one added by hand."""

    item: AgendaItem
    to: list[Address]
    source: str = ""
    series: str = ""
    """What the calendar's UID is made of here: the same for all meetings of a series."""
    version: Version = Version()
    by_hand: bool = False
    """The operator called it off: a calendar that still has it at that time does not bring it back."""

    def called_off(self) -> Planned:
        """The same, cancelled: rooms must be told of it until it would have been over."""
        return structs.replace(self, item=structs.replace(self.item, cancelled=True))

    def is_older_than(self, known: Planned) -> bool:
        """Whether the calendar had said this before it said what is known of this meeting. A meeting that was changed alone
        counts for itself (SEQUENCE), so only the moments tell.
        """
        return bool(self.version.stamp) and self.version.stamp < known.version.stamp

    def instead_of(self, known: Planned | None) -> Planned:
        """Under the id that rooms know; called off, if the operator did that and nothing was changed since."""
        if known is None:
            return self
        new = structs.replace(self, item=structs.replace(self.item, id=known.item.id))
        is_same = (new.item.starts, new.item.ends) == (known.item.starts, known.item.ends)
        if known.by_hand and is_same and new.version.sequence <= known.version.sequence:
            return structs.replace(new.called_off(), by_hand=True)
        return new


class Plan(Struct):
    """All that is planned, by item id."""

    v: Literal[1] = 1
    meetings: list[Planned] = []
    series: dict[str, Version] = {}
    """The newest version of each series that was read, from whatever file."""

    def put(self, source: str, meetings: Iterable[Planned], reading: Reading) -> list[str]:
        """These are all of that source now, and of the series that stand whole in it, wherever they came from before:
        others of them are cancelled, not forgotten. `reading` is what the file gave, `meetings` those of it that rooms
        are invited to. What is older than what is known changes nothing; returns its titles, each once.
        """
        series = reading.series
        old = {one for one, version in series.items() if version < self.series.get(one, version)}
        whole = series.keys() - old
        self.series.update({one: series[one] for one in whole})
        unknown = old | reading.unread
        known = {_calendar_key(one.item.id): one for one in self.meetings if one.series}
        new: dict[str, Planned] = {}
        left: dict[str, str] = {}
        for one in meetings:
            before = known.get(_calendar_key(one.item.id))  # another title is no other meeting
            id = before.item.id if before else one.item.id
            if one.series in old or (before and one.is_older_than(before)):
                left[id] = one.item.title
            else:
                new[id] = one.instead_of(before)
        for one in self.meetings:
            concerned = one.series not in unknown and (one.source == source or one.series in whole)
            gone = concerned and one.item.id not in left
            new.setdefault(one.item.id, one.called_off() if gone else one)
        self.meetings = sorted(new.values(), key=lambda one: (one.item.starts, one.item.id))
        return list(dict.fromkeys(left.values()))

    def cancel(self, item_id: str) -> Planned:
        """Raises AgentError for one that is not planned."""
        for index, one in enumerate(self.meetings):
            if one.item.id == item_id:
                self.meetings[index] = structs.replace(one.called_off(), by_hand=True)
                return self.meetings[index]
        raise AgentError("unknown-item", f"{item_id!r} is not planned; see: diemcau agenda list")

    def forget_before(self, now: datetime) -> None:
        """What is over a day ago is of no use to anybody, nor a series of which nothing was heard for a year."""
        limit = now - timedelta(days=1)
        self.meetings = [one for one in self.meetings if one.item.ends > limit]
        in_use = {one.series for one in self.meetings}
        year_ago = f"{now - timedelta(days=365):%Y%m%dT%H%M%SZ}"
        self.series = {
            one: version
            for one, version in self.series.items()
            if one in in_use or version.stamp > year_ago
        }

    def documents(self, now: datetime, versions: dict[str, int]) -> dict[str, Agenda]:
        """A document for each address that is planned for or was published to; `versions` are the last ones."""
        addresses = {address for one in self.meetings for address in one.to} | set(versions)
        return {
            address: Agenda(
                v=1,
                version=max(versions.get(address, 0) + 1, int(now.timestamp())),
                issued=now,
                valid_until=now + timedelta(days=MAX_DAYS),
                items=self.items_for(address, now),
                to=address,
            )
            for address in sorted(addresses)
        }

    def items_for(self, address: str, now: datetime) -> list[AgendaItem]:
        """Those of the next two weeks, in order of time, as many as a document takes."""
        last = now + timedelta(days=MAX_DAYS)
        items = [
            one.item
            for one in self.meetings
            if address in one.to and one.item.ends > now and one.item.starts < last
        ]
        return items[:MAX_ITEMS]

    def untold(self, now: datetime) -> list[AgendaItem]:
        """What is planned and too far ahead, or too much, for the documents of now; in order of time."""
        addresses = {address for one in self.meetings for address in one.to}
        told = {
            address: {item.id for item in self.items_for(address, now)} for address in addresses
        }
        return [
            one.item
            for one in self.meetings
            if one.item.starts > now and not one.item.cancelled
            if any(one.item.id not in told[address] for address in one.to)
        ]


def _calendar_key(item_id: str) -> str:
    """What is left of a calendar's item id without its title: which meeting of which series it is."""
    return "-".join(item_id.rsplit("-", 2)[1:])


class Change(NamedTuple):
    """One line of what publishing would change."""

    address: str
    kind: Literal["new", "moved", "changed", "cancelled", "gone"]
    item: AgendaItem


def changes(address: str, before: Agenda | None, after: Agenda, now: datetime) -> list[Change]:
    """From what rooms know to what they would know. What is over is no change."""
    old = {item.id: item for item in before.items} if before else {}
    new = {item.id: item for item in after.items}
    found = []
    for item_id, item in new.items():
        earlier = old.get(item_id)
        if earlier == item or (earlier is None and item.cancelled):
            continue
        if earlier is None:
            found.append(Change(address, "new", item))
        elif item.cancelled and not earlier.cancelled:
            found.append(Change(address, "cancelled", item))
        elif (item.starts, item.ends) != (earlier.starts, earlier.ends):
            found.append(Change(address, "moved", item))
        else:
            found.append(Change(address, "changed", item))
    found += [
        Change(address, "gone", item)
        for item_id, item in old.items()
        if item_id not in new and item.ends > now
    ]
    return sorted(found, key=lambda change: (change.item.starts, change.item.id))


def is_news(before: Agenda | None, after: Agenda) -> bool:
    """Whether rooms are to get it: other meetings, or the same for a day longer at least."""
    if before is None:
        return bool(after.items)
    is_longer = after.valid_until - before.valid_until >= timedelta(days=1)
    return is_longer or any(one not in before.items for one in after.items) or _lacks(before, after)


def _lacks(before: Agenda, after: Agenda) -> bool:
    """Whether a meeting was taken out that is not over."""
    kept = {one.id for one in after.items}
    return any(one.id not in kept and one.ends > after.issued for one in before.items)


def planned(occurrence: Occurrence, to: list[str], source: str) -> Planned:
    """The meeting's id is its title's, so that each morning's meeting has the same address at the media server."""
    return Planned(
        item=AgendaItem(
            id=occurrence.id,
            title=occurrence.title,
            starts=occurrence.starts,
            ends=occurrence.ends,
            join=Attendance(
                Meeting(meeting_id_of(occurrence.title, occurrence.id[:64]), occurrence.title)
            ),
            local=local_text(occurrence.local),
            priority=occurrence.priority,
            cancelled=occurrence.cancelled,
        ),
        to=list(to),
        source=source,
        series=occurrence.series,
        version=occurrence.version,
    )


def local_text(moment: datetime) -> str:
    """`07:15 thứ hai 30.11.2026`, in the moment's own zone."""
    zone = "" if moment.utcoffset() else " UTC"
    return f"{moment:%H:%M}{zone} {WEEKDAYS[moment.weekday()]} {moment:%d.%m.%Y}"


def read_plan(data: bytes) -> Plan:
    """Raises AgentError for a file that is no plan."""
    try:
        return msgspec.json.decode(data, type=Plan)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise AgentError("bad-plan", f"the plan cannot be read: {error}") from error


def write_plan(plan: Plan) -> bytes:
    """The file's new contents, readable for people."""
    return msgspec.json.format(msgspec.json.encode(plan), indent=2) + b"\n"
