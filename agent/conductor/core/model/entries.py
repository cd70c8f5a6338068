"""What the journal keeps: acts of operators and what was seen, in the order in which they came.

The conductor's state is these entries played from the first one on, nothing else; so are the minutes.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from agent.conductor.core.model.acts import Act
from agent.conductor.core.model.orders import Order
from agent.core.model.commands import AckState


class Acted(Struct, frozen=True, tag_field="kind", tag="act"):
    """An operator's act, found permissible. `number` is the meeting's, new for a `start`."""

    number: int
    act: Act


class Adopted(Struct, frozen=True, tag_field="kind", tag="adopted"):
    """The meeting runs already when the agenda's item (as in `StartMeeting.item`) begins: none is started for it."""

    number: int
    item: str


class Entered(Struct, frozen=True, tag_field="kind", tag="entered"):
    """The room is in the meeting."""

    number: int
    room: str


class Fell(Struct, frozen=True, tag_field="kind", tag="fell"):
    """The room is not in the meeting any more. `why`: lost, offline, left, or over."""

    number: int
    room: str
    why: str


class HandRaised(Struct, frozen=True, tag_field="kind", tag="hand-raised"):
    """The room asks for the floor. Queued in the order of arrival: rooms' clocks differ."""

    number: int
    room: str


class HandLowered(Struct, frozen=True, tag_field="kind", tag="hand-lowered"):
    """The room asks no more."""

    number: int
    room: str


class FloorReturned(Struct, frozen=True, tag_field="kind", tag="floor-returned"):
    """The room gave the floor back by itself."""

    number: int
    room: str


class Spoke(Struct, frozen=True, tag_field="kind", tag="spoke"):
    """The room's microphone went live in the meeting, or is not any more."""

    number: int
    room: str
    live: bool


class Faulted(Struct, frozen=True, tag_field="kind", tag="fault"):
    """Something went wrong in a room during the meeting."""

    number: int
    room: str
    code: str
    text: str


class Answered(Struct, frozen=True, tag_field="kind", tag="answered"):
    """Somebody in the room answered a call or a message."""

    number: int
    room: str
    to: str
    """The command's id."""
    text: str


class Ordered(Struct, frozen=True, tag_field="kind", tag="ordered"):
    """A command goes to the room; written down before it is sent."""

    number: int
    room: str
    revision: int
    order: Order


class Settled(Struct, frozen=True, tag_field="kind", tag="settled"):
    """The room's final ack for a command."""

    number: int
    room: str
    order: str
    """Its type: join, leave, floor, ..."""
    revision: int
    state: AckState
    code: str
    text: str


class Warned(Struct, frozen=True, tag_field="kind", tag="warned"):
    """The room was told that its speaking time is over."""

    number: int
    room: str


class Released(Struct, frozen=True, tag_field="kind", tag="released"):
    """The room has left a meeting that is over: nothing more to do there."""

    number: int
    room: str


class Closed(Struct, frozen=True, tag_field="kind", tag="closed"):
    """The meeting is over and every room has left it: it is only in the minutes now."""

    number: int


What = (
    Acted
    | Adopted
    | Entered
    | Fell
    | HandRaised
    | HandLowered
    | FloorReturned
    | Spoke
    | Faulted
    | Answered
    | Ordered
    | Settled
    | Warned
    | Released
    | Closed
)


class Entry(Struct, frozen=True):
    """One line of the journal. `by` is the operator's name; empty for what was only seen."""

    at: datetime
    what: What
    by: str = ""
