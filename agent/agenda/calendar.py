"""iCalendar (RFC 5545) to single meetings with instants, for files as real programs write them.

Reading and expanding are icalendar's and recurring-ical-events' business; here are the oddities of Outlook, Exchange and
others around them, and one line for each thing that cannot be taken. Nothing is guessed: a time without a zone is no time.
"""

from __future__ import annotations

import hashlib
import math
import warnings
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec import Struct

from agent.agenda.files import parse
from agent.agenda.zones import windows_zone, zone_of
from agent.core.model.agenda import MAX_ITEM_HOURS, slug
from agent.core.model.cleaning import visible

if TYPE_CHECKING:
    from icalendar import Component

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_EVENTS = 5000
MAX_INSTANCES = 500
"""Of one series within two weeks; no meeting is held more often."""

DEFAULT_LENGTH = timedelta(hours=1)
FASTEST = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
EARLIEST_YEAR = 1990
"""A series that began earlier costs its years in steps, and no office keeps one."""

MOST_A_DAY = 12
"""Times that a rule may name within a day (BYHOUR and so on); a rule with 86,400 keeps a machine busy for hours."""


class Version(Struct, frozen=True, order=True):
    """Of an event: more is newer (RFC 5546, 2.1.5)."""

    sequence: int = 0
    stamp: str = ""
    """DTSTAMP, `20261128T071500Z`; empty where there is none. Some programs write the moment of the export there."""


class Occurrence(NamedTuple):
    """One meeting as a calendar has it."""

    id: str
    """The same for as long as the calendar knows it, wherever it is moved."""
    title: str
    starts: datetime
    ends: datetime
    attendees: tuple[str, ...]
    """Names and addresses of who is invited, as they stand there."""
    priority: int
    cancelled: bool
    series: str
    """The same for all meetings of one UID."""
    local: datetime
    """When it starts, with the offset of the zone that the calendar speaks of."""
    version: Version
    """Of the event that it is read from: of the series, or of its own where it was changed alone."""


class Reading(NamedTuple):
    """What a file gave: the meetings in order of time, and a line for each thing that was not taken."""

    occurrences: list[Occurrence]
    complaints: list[str]
    series: dict[str, Version]
    """Series that stand here whole, a single meeting too, not only one of their meetings: what is not among the
    occurrences is no meeting of theirs any more. A series that is called off is here as well."""
    unread: set[str]
    """Series of this file whose meetings are not told here: a complaint is about them, or another file is read with
    this one and has them first."""


class _Part(NamedTuple):
    """A VEVENT, and which file it stands in."""

    event: Component
    file: int
    cancels: bool
    """It came as METHOD:CANCEL."""

    @property
    def is_one(self) -> bool:
        """Of a series it is one meeting."""
        return "RECURRENCE-ID" in self.event

    @property
    def version(self) -> Version:
        return _version(self.event)


class _Refused(Exception):
    """An event that can't be taken; the text says why."""


def read_calendars(files: Sequence[bytes], begin: datetime, end: datetime) -> list[Reading]:
    """A reading for each file: the meetings that begin or go on between `begin` and `end` (with offsets).

    An event that several files have, such as an invitation, its change and its cancellation, is read once, in its
    newest version and with the file that has it first. Never raises for what is in a file.
    """
    readings = [Reading([], [], {}, set()) for _ in files]
    series: dict[str, list[_Part]] = defaultdict(list)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries warn of what is complained about below
        for number, data in enumerate(files):
            for part in _parts(data, number, readings[number]):
                series[str(part.event.get("UID", "")) or f"no-uid-{len(series)}"].append(part)
        for uid, parts in series.items():
            _read_series(uid, parts, (begin, end), readings)
    for reading in readings:
        reading.occurrences.sort(key=lambda one: (one.starts, one.id))
    return readings


def _parts(data: bytes, number: int, reading: Reading) -> list[_Part]:
    if len(data) > MAX_FILE_BYTES:
        reading.complaints.append(
            f"the file has {len(data)} bytes; at most {MAX_FILE_BYTES} are read"
        )
        return []
    try:
        calendars = parse(data)
    except Exception as error:  # whatever the library stumbles over: it is a line for the operator
        reading.complaints.append(f"not an iCalendar file: {_line(error)}")
        return []
    parts = [
        _Part(event, number, str(calendar.get("METHOD", "")).upper() == "CANCEL")
        for calendar in calendars
        for event in calendar.walk("VEVENT")
    ]
    if len(parts) > MAX_EVENTS:
        text = f"{len(parts)} events are too many; the first {MAX_EVENTS} are read"
        reading.complaints.append(text)
        reading.unread.update(
            _digest(str(part.event.get("UID", ""))) for part in parts[MAX_EVENTS:]
        )
    return parts[:MAX_EVENTS]


def _read_series(
    uid: str, parts: list[_Part], window: tuple[datetime, datetime], readings: list[Reading]
) -> None:
    first = parts[0].file
    for other in {part.file for part in parts} - {first}:
        readings[other].unread.add(_digest(uid))
    reading = readings[first]
    title = _title(parts[0].event)
    try:
        chosen, newest = _newest(parts)
        cancelled = newest is not None and newest.cancels
        reading.occurrences.extend(_expand(uid, chosen, window, cancelled))
        if newest is not None:
            reading.series[_digest(uid)] = newest.version
    except _Refused as why:
        reading.complaints.append(f"{title!r}: {why}")
        reading.unread.add(_digest(uid))
    except Exception as error:  # one event that the library can't take must not cost the others
        reading.complaints.append(f"{title!r}: cannot be read: {_line(error)}")
        reading.unread.add(_digest(uid))


def _newest(parts: list[_Part]) -> tuple[list[Component], _Part | None]:
    """Of each meeting and of the series the newest version; and what was said last of the series as a whole.

    A cancellation has no rule, so the series itself is kept beside it.
    """
    whole = [part for part in parts if not part.is_one]
    newest = max(whole, key=lambda part: part.version, default=None)
    kept = [part for part in whole if not part.cancels] or whole
    chosen: dict[str, _Part] = {}
    if kept:
        chosen[""] = max(kept, key=lambda part: part.version)
    for part in parts:
        if part.is_one:
            _put_original(part.event, chosen[""].event if kept else None)
            original = part.event["RECURRENCE-ID"].dt
            moment = original.astimezone(UTC) if isinstance(original, datetime) else original
            before = chosen.get(str(moment))
            if before is None or part.version >= before.version:
                chosen[str(moment)] = part
            if part.cancels:
                part.event["STATUS"] = "CANCELLED"
    return [part.event for part in chosen.values()], newest


def _put_original(event: Component, series: Component | None) -> None:
    """Which meeting of the series it is. Some programs name only its day."""
    _check_zones(event, ("RECURRENCE-ID",))
    original = event["RECURRENCE-ID"]
    if series is None or isinstance(original.dt, datetime) or "DTSTART" not in series:
        return
    _check_zones(series, ("DTSTART",))
    starts = series["DTSTART"].dt
    if isinstance(starts, datetime):
        original.dt = datetime.combine(original.dt, starts.timetz())
        original.params.pop("VALUE", None)


def _expand(
    uid: str, events: list[Component], window: tuple[datetime, datetime], cancelled: bool
) -> Iterator[Occurrence]:
    import recurring_ical_events
    from icalendar import Calendar as NewCalendar

    alone = NewCalendar()
    for event in events:
        _put_right(event)
        alone.add_component(event)
    begin, end = window
    found = recurring_ical_events.of(alone).between(begin - timedelta(hours=MAX_ITEM_HOURS), end)
    if len(found) > MAX_INSTANCES:
        raise _Refused(f"{len(found)} times within two weeks: no meeting is held so often")
    named: set[str] = set()
    for event in found:
        starts, ends = _times(event)
        if ends > begin and starts < end:
            name = _name(event)
            if name in named:  # "this and all later ones" is one name for all of them
                name = f"{starts.astimezone(UTC):%Y%m%dT%H%M%SZ}"
            named.add(name)
            yield Occurrence(
                id=f"{slug(_title(event))[:30].strip('-') or 'meeting'}-{name.lower()}-{_digest(uid, name)}",
                title=_title(event),
                starts=starts.astimezone(UTC),
                ends=ends.astimezone(UTC),
                attendees=tuple(_attendees(event)),
                priority=_priority(event),
                cancelled=cancelled or str(event.get("STATUS", "")).upper() == "CANCELLED",
                series=_digest(uid),
                local=starts.replace(tzinfo=timezone(starts.utcoffset() or timedelta(0))),
                version=_version(event),
            )


def _put_right(event: Component) -> None:
    """Times of zones that icalendar knows nothing of. Raises _Refused for what is no meeting's time."""
    if "DTSTART" not in event:
        raise _Refused("it has no DTSTART, or one that is no time")
    if "EXRULE" in event:
        raise _Refused("it has an EXRULE, which nobody writes any more: use single exceptions")
    _check_zones(event, ("DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"))
    for rule in _all(event.get("RRULE")):
        _put_rule(rule, event["DTSTART"].dt)
    starts = event["DTSTART"].dt
    if starts.year < EARLIEST_YEAR:
        raise _Refused(f"it begins in {starts.year}")
    if "DURATION" in event and event["DURATION"].dt < timedelta(0):
        raise _Refused(f"it takes {event['DURATION'].to_ical().decode()}: less than no time")
    ends = event["DTEND"].dt if "DTEND" in event else starts
    if not isinstance(ends, datetime):
        raise _Refused("its end is no time of day")
    if isinstance(ends, datetime) and ends.astimezone(UTC) < starts.astimezone(UTC):
        raise _Refused(f"it takes {ends - starts}: the end is before the beginning")


def _put_rule(rule: Any, starts: datetime) -> None:
    """Nothing that keeps a machine busy, and an end (UNTIL) in UTC."""
    frequency = "".join(map(str, rule.get("FREQ", [""]))).upper()
    if frequency not in FASTEST:
        raise _Refused(f"it is repeated {frequency.lower() or 'without a FREQ'}; daily is the most")
    if any(int(one) < 1 for one in _all(rule.get("INTERVAL", [1]))):
        raise _Refused("its INTERVAL is no number of days, weeks, months or years")
    daily = [len(_all(rule.get(name))) or 1 for name in ("BYHOUR", "BYMINUTE", "BYSECOND")]
    if math.prod(daily) > MOST_A_DAY:
        raise _Refused(f"it is repeated {math.prod(daily)} times a day; {MOST_A_DAY} is the most")
    until = _all(rule.get("UNTIL"))
    if until:
        rule["UNTIL"] = [_last(one, starts) for one in until]


def _last(until: date, starts: datetime) -> datetime:
    """Many write the end in local time, or as a day, which then counts to its last minute."""
    if not isinstance(until, datetime):
        until = datetime(until.year, until.month, until.day, 23, 59, 59)
    if until.tzinfo is None:
        until = until.replace(tzinfo=starts.tzinfo)
    return until.astimezone(UTC)


def _check_zones(event: Component, names: Sequence[str]) -> None:
    """Give each time its zone."""
    for name in names:
        for value in _all(event.get(name)):
            for one in getattr(value, "dts", (value,)):
                if isinstance(one.dt, tuple):  # a period (RDATE)
                    one.dt = tuple(
                        _zoned(part, value, name) if isinstance(part, datetime) else part
                        for part in one.dt
                    )
                elif isinstance(one.dt, datetime):
                    one.dt = _zoned(one.dt, value, name)
                elif name == "DTSTART":
                    raise _Refused("it takes whole days; a meeting has a time of day")


def _zoned(moment: datetime, named_by: Any, name: str) -> datetime:
    tzid = str(named_by.params.get("TZID", "")).strip('"')
    if moment.tzinfo is not None:  # a name that everybody knows is not the file's to describe
        known = windows_zone(tzid)
        return moment.replace(tzinfo=known) if known is not None else moment
    if not tzid:
        raise _Refused(
            f"{name} {moment:%d.%m.%Y %H:%M} is a floating time: say its time zone in the calendar program"
        )
    zone = zone_of(tzid)
    if zone is None:
        raise _Refused(
            f"the time zone {tzid!r} is described nowhere in the file, and nobody knows it"
        )
    return moment.replace(tzinfo=zone)


def _times(event: Component) -> tuple[datetime, datetime]:
    starts = event["DTSTART"].dt
    if not isinstance(starts, datetime) or starts.tzinfo is None:
        raise _Refused("it has no time of day with a zone")
    ends = event["DTEND"].dt if "DTEND" in event else starts + DEFAULT_LENGTH
    if not isinstance(ends, datetime) or ends.tzinfo is None:
        raise _Refused("its end is no time of day")
    if ends == starts:
        ends = starts + DEFAULT_LENGTH
    if not timedelta(0) < ends - starts <= timedelta(hours=MAX_ITEM_HOURS):
        raise _Refused(f"it takes {ends - starts}; a meeting takes {MAX_ITEM_HOURS} h at the most")
    return starts, ends


def _name(event: Component) -> str:
    """The time that this meeting had in its series before anybody moved it."""
    original = event["RECURRENCE-ID"].dt if "RECURRENCE-ID" in event else None
    if isinstance(original, datetime) and original.tzinfo is not None:
        return f"{original.astimezone(UTC):%Y%m%dT%H%MZ}"
    if isinstance(original, date):
        return f"{original:%Y%m%d}"
    return "once"


def _version(event: Component) -> Version:
    stamp = event.get("DTSTAMP")
    text = stamp.to_ical().decode("ascii", "replace") if hasattr(stamp, "to_ical") else ""
    try:
        return Version(int(event.get("SEQUENCE", 0)), text)
    except (TypeError, ValueError):
        return Version(0, text)


def _digest(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode("utf-8", "replace")).hexdigest()[:10]


def _title(event: Component) -> str:
    text = str(event.get("SUMMARY", "")).replace("\\n", " ")
    shown = " ".join(visible(text, " ").split())
    return shown[:200].strip() or "(no title)"


def _attendees(event: Component) -> Iterator[str]:
    for one in _all(event.get("ATTENDEE")):
        name = str(getattr(one, "params", {}).get("CN", "")).strip()
        address = str(one).strip()
        if address.lower().startswith("mailto:"):
            address = address[len("mailto:") :]
        yield from (part for part in (name, address) if part)
    for name in ("LOCATION", "RESOURCES"):
        for one in _all(event.get(name)):
            yield from (
                part.strip() for part in str(one).replace(";", ",").split(",") if part.strip()
            )


def _priority(event: Component) -> int:
    """RFC 5545, 3.8.1.9: 1 is the highest, 5 ordinary (Outlook writes it always), 0 says nothing. Ours: 4 to 0."""
    try:
        value = int(event.get("PRIORITY", 0))
    except (TypeError, ValueError):
        return 0
    return 5 - value if 1 <= value <= 4 else 0


def _all(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _line(error: Exception) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return visible(text[:160], "")
