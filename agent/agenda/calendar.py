"""iCalendar (RFC 5545) to single meetings with instants, for files as real programs write them.

Reading and expanding are icalendar's and recurring-ical-events' business; here are the oddities of Outlook, Exchange and
others around them, and one line for each thing that cannot be taken. Nothing is guessed: a time without a zone is no time.
"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any, NamedTuple

from agent.agenda.zones import zone_of
from agent.core.model.agenda import MAX_ITEM_HOURS, slug

if TYPE_CHECKING:
    from icalendar import Calendar, Component

MAX_FILE_BYTES = 8 * 1024 * 1024
MAX_EVENTS = 5000
MAX_INSTANCES = 500
"""Of one series within two weeks; no meeting is held more often."""

DEFAULT_LENGTH = timedelta(hours=1)
FASTEST = {"YEARLY", "MONTHLY", "WEEKLY", "DAILY"}
EARLIEST_YEAR = 1990
"""A series that began earlier costs its years in steps, and no office keeps one."""


_UNQUOTED = re.compile(r";TZID=(tzone://[^:;\"\r\n]+):")
"""Exchange's zones that are addresses, whose colon ends the parameters for every reader of RFC 5545."""


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
    local: datetime
    """When it starts, with the offset of the zone that the calendar speaks of."""


class Reading(NamedTuple):
    """What a file gave: the meetings in order of time, and a line for each thing that was not taken."""

    occurrences: list[Occurrence]
    complaints: list[str]


class _Refused(Exception):
    """An event that can't be taken; the text says why."""


def read_calendar(data: bytes, begin: datetime, end: datetime) -> Reading:
    """The meetings that begin or go on between `begin` and `end` (with offsets). Never raises for what is in `data`."""
    if len(data) > MAX_FILE_BYTES:
        return Reading([], [f"the file has {len(data)} bytes; at most {MAX_FILE_BYTES} are read"])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the libraries warn of what is complained about below
        try:
            calendars = _parse(data)
        except (
            Exception
        ) as error:  # whatever the library stumbles over: it is a line for the operator
            return Reading([], [f"not an iCalendar file: {_line(error)}"])
        reading = Reading([], [])
        for calendar in calendars:
            _expand_all(calendar, begin, end, reading)
    reading.occurrences.sort(key=lambda one: (one.starts, one.id))
    return reading


def _parse(data: bytes) -> list[Calendar]:
    from icalendar import Calendar
    from icalendar.timezone import tzp

    tzp.use_zoneinfo()  # forget zones of other files: each Outlook has a "Customized Time Zone" of its own
    text = _text(data)
    if "BEGIN:VCALENDAR" not in text.upper():
        raise ValueError("there is no BEGIN:VCALENDAR in it")
    found = Calendar.from_ical(_UNQUOTED.sub(r';TZID="\1":', text), multiple=True)
    calendars = [one for one in found if one.name == "VCALENDAR"]
    if not calendars:
        raise ValueError("it ends in the middle: there is no END:VCALENDAR")
    return calendars


def _text(data: bytes) -> str:
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8-sig"),
        (b"\xff\xfe", "utf-16"),
        (b"\xfe\xff", "utf-16"),
    ):
        if data.startswith(mark):
            return data.decode(encoding, "replace").replace("\0", "")
    return data.decode("utf-8", "replace").replace("\0", "")


def _expand_all(calendar: Calendar, begin: datetime, end: datetime, reading: Reading) -> None:
    events = list(calendar.walk("VEVENT"))
    if len(events) > MAX_EVENTS:
        reading.complaints.append(
            f"{len(events)} events are too many; the first {MAX_EVENTS} are read"
        )
    series: dict[str, list[Component]] = defaultdict(list)
    for event in events[:MAX_EVENTS]:
        series[str(event.get("UID", "")) or f"no-uid-{len(series)}"].append(event)
    cancelled = str(calendar.get("METHOD", "")).upper() == "CANCEL"
    for uid, parts in series.items():
        title = _title(parts[0])
        try:
            reading.occurrences.extend(_expand(calendar, uid, parts, (begin, end), cancelled))
        except _Refused as why:
            reading.complaints.append(f"{title!r}: {why}")
        except Exception as error:  # one event that the library can't take must not cost the others
            reading.complaints.append(f"{title!r}: cannot be read: {_line(error)}")


def _expand(
    calendar: Calendar,
    uid: str,
    parts: list[Component],
    window: tuple[datetime, datetime],
    cancelled: bool,
) -> Iterator[Occurrence]:
    import recurring_ical_events
    from icalendar import Calendar as NewCalendar

    alone = NewCalendar()
    for part in parts:
        _put_right(part)
        alone.add_component(part)
    begin, end = window
    found = recurring_ical_events.of(alone).between(begin - timedelta(hours=MAX_ITEM_HOURS), end)
    if len(found) > MAX_INSTANCES:
        raise _Refused(f"{len(found)} times within two weeks: no meeting is held so often")
    for event in found:
        starts, ends = _times(event)
        if ends > begin and starts < end:
            yield Occurrence(
                id=_id(uid, event, starts),
                title=_title(event),
                starts=starts.astimezone(UTC),
                ends=ends.astimezone(UTC),
                attendees=tuple(_attendees(event)),
                priority=_priority(event),
                cancelled=cancelled or str(event.get("STATUS", "")).upper() == "CANCELLED",
                local=starts.replace(tzinfo=timezone(starts.utcoffset() or timedelta(0))),
            )


def _put_right(event: Component) -> None:
    """Times of zones that icalendar knows nothing of. Raises _Refused for what is no meeting's time."""
    if "DTSTART" not in event:
        raise _Refused("it has no DTSTART, or one that is no time")
    for rule in _all(event.get("RRULE")):
        frequency = "".join(map(str, rule.get("FREQ", [""]))).upper()
        if frequency not in FASTEST:
            raise _Refused(
                f"it is repeated {frequency.lower() or 'without a FREQ'}; daily is the most"
            )
    for name in ("DTSTART", "DTEND", "RECURRENCE-ID"):
        for value in _all(event.get(name)):
            _put_zone(value, value, name)
    for name in ("EXDATE", "RDATE"):
        for several in _all(event.get(name)):
            for value in getattr(several, "dts", ()):
                _put_zone(value, several, name)
    starts = event["DTSTART"].dt
    if starts.year < EARLIEST_YEAR:
        raise _Refused(f"it begins in {starts.year}")
    ends = event["DTEND"].dt if "DTEND" in event else starts
    if isinstance(ends, datetime) and ends.astimezone(UTC) < starts.astimezone(UTC):
        raise _Refused(f"it takes {ends - starts}: the end is before the beginning")


def _put_zone(value: Any, named_by: Any, name: str) -> None:
    moment = value.dt
    if isinstance(moment, tuple):
        moment = moment[0]  # a period (RDATE)
    if not isinstance(moment, datetime):
        if name == "DTSTART":
            raise _Refused("it takes whole days; a meeting has a time of day")
        return
    if moment.tzinfo is not None:
        return
    tzid = str(named_by.params.get("TZID", "")).strip('"')
    if not tzid:
        raise _Refused(
            f"{name} {moment:%d.%m.%Y %H:%M} is a floating time: say its time zone in the calendar program"
        )
    zone = zone_of(tzid)
    if zone is None:
        raise _Refused(
            f"the time zone {tzid!r} is described nowhere in the file, and nobody knows it"
        )
    if not isinstance(value.dt, tuple):
        value.dt = moment.replace(tzinfo=zone)


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


def _id(uid: str, event: Component, starts: datetime) -> str:
    """Of the series and of the time that this instance had in it before anybody moved it."""
    original = event["RECURRENCE-ID"].dt if "RECURRENCE-ID" in event else None
    if isinstance(original, datetime) and original.tzinfo is not None:
        name = f"{original.astimezone(UTC):%Y%m%dT%H%MZ}"
    elif isinstance(original, date):
        name = f"{original:%Y%m%d}"
    else:
        name = "once"
    digest = hashlib.sha256(f"{uid}\0{name}".encode("utf-8", "replace")).hexdigest()[:10]
    return f"{slug(_title(event))[:30].strip('-') or 'meeting'}-{name.lower()}-{digest}"


def _title(event: Component) -> str:
    text = str(event.get("SUMMARY", "")).replace("\\n", " ")
    shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
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
    return "".join(c for c in text[:160] if c.isprintable())
