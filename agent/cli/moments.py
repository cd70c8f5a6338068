"""Times as people type them: of the day, or with a date."""

from __future__ import annotations

from datetime import datetime, timedelta

from agent.errors import MessageError
from agent.locale import gettext as _


def coming_moment(text: str, now: datetime) -> datetime:
    """`11:30` today or, if that is past, tomorrow; or a date and time. Raises MessageError."""
    moment, of_day = _moment(text, now)
    return moment + timedelta(days=1) if of_day and moment <= now else moment


def past_moment(text: str, now: datetime) -> datetime:
    """`07:00` today or, if that is still to come, yesterday; or a date, or both. Raises MessageError."""
    moment, of_day = _moment(text, now)
    return moment - timedelta(days=1) if of_day and moment > now else moment


def _moment(text: str, now: datetime) -> tuple[datetime, bool]:
    """The moment, and whether only a time of the day was given."""
    try:
        if "-" in text:
            return datetime.fromisoformat(text).astimezone(), False
        hour, minute = (int(part) for part in text.split(":"))
        return now.replace(hour=hour, minute=minute, second=0, microsecond=0), True
    except ValueError:
        raise MessageError(
            "bad-field", _("{text}: no time; write 11:30 or 2026-01-31T11:30").format(text=text)
        ) from None
