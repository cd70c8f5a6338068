"""Words for the people in the room: large between meetings, a band across the picture in one."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct


class RoomVerdict(Struct, frozen=True):
    """What the last check says of the room; nothing, where none is to be believed."""

    is_ready: bool = False
    """It found nothing wrong."""
    fault: str = ""
    """The worst that it found, in words."""
    fault_code: str = ""
    """Of that finding, such as `camera-black`."""


class Called(Struct, frozen=True, tag_field="kind", tag="call"):
    """The room is called to a meeting until somebody presses the button."""

    title: str
    text: str = ""
    caller: str = ""
    chime: bool = False
    """It rings: a chime between meetings, a soft tone over a meeting's sound."""
    volume: int = 0
    """Of the chime, 0 to 100."""


class Message(Struct, frozen=True, tag_field="kind", tag="message"):
    """Somebody's words, with up to two answers to choose from."""

    request: str
    """Answered by `Applied` when the screen has it."""
    text: str
    level: Literal["info", "warning", "urgent"] = "info"
    answers: tuple[str, ...] = ()


class Checking(Struct, frozen=True, tag_field="kind", tag="check"):
    """The devices are on for a moment, with nobody at the other end."""


class Retrying(Struct, frozen=True, tag_field="kind", tag="retry"):
    """The room could not join this meeting and goes on trying."""

    title: str
    code: str
    """Why the last try failed."""


class MeetingSoon(Struct, frozen=True, tag_field="kind", tag="soon"):
    """A meeting of the agenda that begins in minutes, or has begun without the room."""

    title: str
    when: str
    """When it begins, by the clock of its calendar."""
    minutes_left: int = 0
    """Until then; 0 from then on."""
    verdict: RoomVerdict = RoomVerdict()


class NextMeeting(Struct, frozen=True):
    """Of the agenda."""

    title: str
    begins: datetime


class LookAhead(Struct, frozen=True, tag_field="kind", tag="ahead"):
    """What stands beneath the room's name while nothing else is said; between meetings alone."""

    meeting: NextMeeting | None = None
    """None if there is none soon."""
    verdict: RoomVerdict = RoomVerdict()


Announcement = Called | Message | Checking | Retrying | MeetingSoon | LookAhead


def ringing(announcement: Announcement | None) -> Called | None:
    """The call, if this is one that rings."""
    if isinstance(announcement, Called) and announcement.chime:
        return announcement
    return None
