"""What the loop is asked, from the control socket and from the page: acts and questions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta, Struct

from agent.conductor.core.minutes import Minutes
from agent.conductor.core.model.acts import Act
from agent.conductor.core.model.views import DayView, MeetingView, RoomView
from agent.conductor.core.refused import Refused

MAX_NUMBER = 2**53
"""Of a meeting; what a journal can look for."""


class ListMeetings(Struct, frozen=True, tag_field="type", tag="meetings"):
    """Those that run, and those that were (`past`)."""

    past: bool = False


class ShowRooms(Struct, frozen=True, tag_field="type", tag="rooms"):
    """Every room of the hub."""


class ShowDay(Struct, frozen=True, tag_field="type", tag="day"):
    """The agenda's meetings of the next 24 hours, and how ready their rooms are."""


class ShowMinutes(Struct, frozen=True, tag_field="type", tag="minutes"):
    """One meeting's minutes, by its id (then the latest of it) or number."""

    meeting: Annotated[str, Meta(max_length=64)] = ""
    number: Annotated[int, Meta(ge=0, le=MAX_NUMBER)] | None = None


class ShowAudit(Struct, frozen=True, tag_field="type", tag="audit"):
    """Who did what."""

    count: Annotated[int, Meta(ge=1, le=10_000)] = 100


Question = ListMeetings | ShowRooms | ShowDay | ShowMinutes | ShowAudit


class Past(Struct, frozen=True):
    """A meeting that was."""

    number: int
    id: str
    title: str | None
    started: str
    by: str


class AuditLine(Struct, frozen=True):
    """One line of the audit trail."""

    at: str
    who: str
    what: str
    outcome: str


class Answer(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="done"):
    """What the asker gets; only what was asked for is there. `link` is why the hub is away, if it is."""

    meeting: MeetingView | None = None
    meetings: list[MeetingView] | None = None
    past: list[Past] | None = None
    rooms: list[RoomView] | None = None
    day: list[DayView] | None = None
    minutes: Minutes | None = None
    names: dict[str, str] | None = None
    audit: list[AuditLine] | None = None
    link: str = ""
    warning: str = ""


class ErrorAnswer(Struct, frozen=True, tag_field="type", tag="error"):
    """Why it was not done."""

    code: str
    text: str


class Audited(NamedTuple):
    """Something for the audit trail that is no act: a login, what a viewer may not."""

    who: str
    what: str
    outcome: str


class Asked(NamedTuple):
    """A request on its way through the inbox. `reply` takes the answer, from the loop's thread, once."""

    request: Act | Question
    by: str
    reply: Callable[[Answer | ErrorAnswer], None]


_decode = msgspec.json.Decoder(Act | Question).decode


def decode(line: bytes) -> Act | Question:
    """One request as JSON. Raises Refused (`bad-request`)."""
    try:
        request: Act | Question = _decode(line)
        return request
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise Refused("bad-request", f"{error}"[:300]) from error
