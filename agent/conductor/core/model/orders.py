"""The commands that the conductor gives, as they stand on the wire (docs/contract.md) but for tokens.

Two orders for one room that are equal ask for the same; only a changed one is sent anew.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from msgspec import Struct

from agent.core.model.commands import Meeting, Source

Picture = Literal["full", "small", "off"]


class Publish(Struct, frozen=True, omit_defaults=True):
    """Where to send, and how much. The token is put in when it is sent."""

    url: str
    token: str | None = None
    picture: Picture = "full"


class JoinOrder(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="join"):
    """Be in this meeting, in full."""

    meeting: Meeting
    publish: Publish
    play: list[Source]
    microphone: Literal["live", "muted"]
    camera: Literal["live", "off"] = "live"
    until: datetime | None = None
    recording: Literal["on", "off"] = "off"
    floor: Literal["open", "request"] = "open"
    replace: bool = False


class LeaveOrder(Struct, frozen=True, tag_field="type", tag="leave"):
    """Be not in that meeting."""

    meeting: str


class FloorOrder(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="floor"):
    """Have the floor, wait for it, or neither."""

    meeting: str
    state: Literal["given", "queued", "none"]
    position: int | None = None


class CallOrder(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="call"):
    """Ring; whoever answers is in the meeting just as the join says, which goes beside it."""

    meeting: Meeting
    publish: Publish
    play: list[Source]
    microphone: Literal["live", "muted"]
    until: datetime | None = None
    recording: Literal["on", "off"] = "off"
    floor: Literal["open", "request"] = "open"
    replace: bool = False
    text: str | None = None
    caller: str | None = None
    then: Literal["join", "nothing"] = "nothing"


class ShowOrder(Struct, frozen=True, omit_defaults=True, tag_field="type", tag="show"):
    """Show a text."""

    text: str
    level: Literal["info", "warning", "urgent"] = "info"
    seconds: float | None = None
    answers: list[str] = []


class MuteOrder(Struct, frozen=True, tag_field="type", tag="mute"):
    """Be not heard."""


Order = JoinOrder | LeaveOrder | FloorOrder | CallOrder | ShowOrder | MuteOrder
