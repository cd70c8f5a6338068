"""What an operator may want: one struct an act, the same from the control socket and from the page.

Decoded by `agent.conductor.requests`, judged and carried out by `agent.conductor.core.conductor`.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.core.model.commands import Identifier, Instant, MeetingId

Title = Annotated[str, Meta(max_length=200)]
Text = Annotated[str, Meta(min_length=1, max_length=500)]
Answers = Annotated[list[Annotated[str, Meta(min_length=1, max_length=40)]], Meta(max_length=2)]
Rooms = Annotated[list[Identifier], Meta(max_length=5000)]
Level = Literal["info", "warning", "urgent"]


class Mode(StrEnum):
    """Who may speak."""

    DISCUSSION = "discussion"
    """The floor is open: up to four rooms in all."""
    ONE_BY_ONE = "one-by-one"
    """One room beside the chair at a time."""
    CHAIR_GRANTS = "chair-grants"
    """Up to three rooms beside the chair."""


class StartMeeting(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="start"):
    """Begin a meeting of these rooms and of whoever is in these groups."""

    meeting: MeetingId
    rooms: Rooms = []
    groups: Annotated[list[Identifier], Meta(max_length=100)] = []
    chair: Identifier | None = None
    title: Title | None = None
    mode: Mode = Mode.CHAIR_GRANTS
    until: Instant | None = None
    recording: Literal["on", "off"] = "off"
    urgent: bool = False
    """Ring in every room at once, instead of only being joined."""
    speaking_seconds: Annotated[float, Meta(ge=10, le=86_400)] | None = None
    """How long one may speak before the speaker's screen says so."""
    item: Annotated[str, Meta(max_length=120)] = ""
    """The agenda's item, and its beginning, that it was started for; empty: by an operator."""


class Give(Struct, frozen=True, tag_field="type", tag="give"):
    """Give a room the floor, asked for or not."""

    meeting: MeetingId
    room: Identifier


class Take(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="take"):
    """Take the floor from a room, or from all that have it."""

    meeting: MeetingId
    room: Identifier | None = None


class Next(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="next"):
    """Give the floor to the first in the queue, in the place of who had it longest if need be.

    `after`: who had the floor when the operator asked. It is refused if that has changed, so that two
    operators who click at once don't skip a room.
    """

    meeting: MeetingId
    after: list[Identifier] | None = None


class Lower(Struct, frozen=True, tag_field="type", tag="lower"):
    """Take a room out of the queue."""

    meeting: MeetingId
    room: Identifier


class MuteAll(Struct, frozen=True, tag_field="type", tag="mute-all"):
    """Nobody but the chair is heard: the floor is taken from all, or all are muted."""

    meeting: MeetingId


class Call(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="call"):
    """Ring urgently in these rooms, or in all that are not there."""

    meeting: MeetingId
    rooms: Rooms = []
    text: Text | None = None
    replace: bool = False
    """Fetch the room from another meeting."""


class Message(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="message"):
    """Show a text on the screens of these rooms or of all; with `answers` it is a roll call."""

    meeting: MeetingId
    text: Text
    rooms: Rooms = []
    level: Level = "info"
    answers: Answers = []
    seconds: Annotated[float, Meta(ge=1, le=3600)] | None = None


class Extend(Struct, frozen=True, tag_field="type", tag="extend"):
    """The meeting ends at another time."""

    meeting: MeetingId
    until: Instant


class End(Struct, frozen=True, tag_field="type", tag="end"):
    """The meeting is over: every room leaves, one that is away when it returns."""

    meeting: MeetingId


Act = StartMeeting | Give | Take | Next | Lower | MuteAll | Call | Message | Extend | End


def room_of(act: Act) -> str:
    """The one room that it is about; empty for an act about the meeting, or about several."""
    return (act.room or "") if isinstance(act, Give | Take | Lower) else ""
