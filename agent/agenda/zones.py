"""Time zones by the names that calendar programs give them, where the file does not describe them itself.

Windows' names are icalendar's table; here is what Outlook and others make of names beside it.
"""

from __future__ import annotations

import re
from datetime import UTC, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

_UTC_NAMES = {"utc", "z", "gmt", "etc/utc", "tzone://microsoft/utc", "coordinated universal time"}
_NUMBERED = re.compile(r"^(.* Standard Time) \d+$")
"""Exchange numbers a zone that it met twice: `GMT Standard Time 1`."""

_DISPLAY_NAME = re.compile(r"^\((?:UTC|GMT)(?:([+-])(\d{2}):(\d{2}))?\)")
"""Outlook's name for people: `(UTC+07:00) Bangkok, Hanoi, Jakarta`."""

WITHOUT_SUMMER_TIME = {("+", 7, 0), ("+", 8, 0), ("+", 5, 30), ("+", 9, 0)}
"""Offsets whose display names in Windows stand for zones that never change their clocks."""


def zone_of(name: str) -> tzinfo | None:
    """The zone, or None when nobody can know it (`Customized Time Zone`, `tzone://Microsoft/Custom`)."""
    from icalendar.timezone import tzp

    name = name.strip().strip('"')
    if name.lower() in _UTC_NAMES:
        return UTC
    numbered = _NUMBERED.match(name)
    try:
        zone = tzp.timezone(numbered[1] if numbered else name)
    except (ValueError, OSError):  # zoneinfo's, for names that are no file names
        zone = None
    return zone or _by_display_name(name)


def windows_zone(name: str) -> tzinfo | None:
    """The zone that Windows means by `SE Asia Standard Time`, whatever a file says of it; None for other names."""
    from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

    known = WINDOWS_TO_OLSON.get(name)
    return ZoneInfo(known) if known else None


def _by_display_name(name: str) -> tzinfo | None:
    found = _DISPLAY_NAME.match(name)
    if not found:
        return None
    sign, hours, minutes = found[1], int(found[2] or 0), int(found[3] or 0)
    if sign is None or (sign, hours, minutes) not in WITHOUT_SUMMER_TIME:
        return None
    return timezone(timedelta(hours=hours, minutes=minutes))
