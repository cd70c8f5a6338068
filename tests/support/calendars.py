"""One calendar file read alone."""

from __future__ import annotations

from datetime import datetime

from agent.agenda.calendar import Reading, read_calendars


def read_calendar(data: bytes, begin: datetime, end: datetime) -> Reading:
    return read_calendars([data], begin, end)[0]
