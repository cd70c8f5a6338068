"""Calendar files made for a test, and one of them read alone."""

from __future__ import annotations

from datetime import datetime

from agent.agenda.calendar import Reading, read_calendars

USUAL = {"DTSTAMP": "20261120T010203Z", "UID": "u", "SUMMARY": "s"}
"""What each event has that does not say otherwise."""


def calendar(*events: list[str], head: str = "X-WR-CALNAME:x") -> bytes:
    """A file with these events, each given by its lines; `head` is a line of the calendar's own."""
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", head]
    for one in events:
        said = {line.partition(":")[0].partition(";")[0] for line in one}
        usual = [f"{name}:{value}" for name, value in USUAL.items() if name not in said]
        lines += ["BEGIN:VEVENT", *usual, *one, "END:VEVENT"]
    return "\r\n".join([*lines, "END:VCALENDAR", ""]).encode()


def read_calendar(data: bytes, begin: datetime, end: datetime) -> Reading:
    return read_calendars([data], begin, end)[0]
