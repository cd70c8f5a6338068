"""The room as it stands: what the control socket answers to `status`, for the daemon and its clients."""

from __future__ import annotations

from msgspec import Struct, field

from agent.core.model.commands import Ack
from agent.core.model.documents import EventDocument, HealthDocument, RoomState
from agent.core.model.sparse import Printable


class HubLinkStatus(Printable, frozen=True):
    """The daemon's hub link; `code` and `text` say why it is not up."""

    up: bool
    code: str = ""
    text: str = ""
    round_trip_milliseconds: float | None = None
    """Of the link's check of itself; None before the first."""


class RoomStatus(Struct, frozen=True, tag_field="type", tag="status"):
    """May be newer than what was published."""

    state: RoomState
    health: HealthDocument | None
    """None before the first look at the devices."""
    link: HubLinkStatus
    muted_by_hand: bool = False
    speaker_volume: int | None = None
    """Per cent, as ordered; None in a room without a loudspeaker."""
    faults: list[EventDocument] = field(default_factory=list)
    """The latest events of any type, oldest first."""
    failed_join: Ack | None = None
    """The last join's answer, if it did not come true."""
