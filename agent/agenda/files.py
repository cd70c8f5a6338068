"""Calendar files to what icalendar makes of them, whatever their coat: marks, line ends, folds and letters."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icalendar import Calendar

_UNQUOTED = re.compile(r";TZID=(tzone://[^:;\"\n]+):")
"""Exchange's zones that are addresses, whose colon ends the parameters for every reader of RFC 5545."""

_FOLD = re.compile(rb"\n[ \t]")
"""Undone in bytes: some programs cut a line inside a letter."""

BROKEN = "\ufffd"


def parse(data: bytes) -> list[Calendar]:
    """The calendars in a file. Raises whatever the library stumbles over, ValueError for what is none."""
    from icalendar import Calendar
    from icalendar.timezone import tzp

    tzp.use_zoneinfo()  # forget zones of other files: each Outlook has a "Customized Time Zone" of its own
    text = text_of(data)
    if "BEGIN:VCALENDAR" not in text.upper():
        raise ValueError("there is no BEGIN:VCALENDAR in it")
    found = Calendar.from_ical(_UNQUOTED.sub(r';TZID="\1":', text), multiple=True)
    calendars = [one for one in found if one.name == "VCALENDAR"]
    if not calendars:
        raise ValueError("it ends in the middle: there is no END:VCALENDAR")
    return calendars


def text_of(data: bytes) -> str:
    """The file's lines, unfolded: UTF-8 or UTF-16, else Windows' letters for Vietnamese."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", "replace").encode()
    data = data.removeprefix(b"\xef\xbb\xbf").replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    data = _FOLD.sub(b"", data)
    text = data.decode("utf-8", "replace")
    letters = sum(not one.isascii() for one in text)
    if 2 * text.count(BROKEN) > letters:  # one letter that is broken makes no other encoding
        text = data.decode("cp1258", "replace")
    return unicodedata.normalize("NFC", text).replace("\0", "")
