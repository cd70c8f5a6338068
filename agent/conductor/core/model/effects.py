"""What the conductor's core wants done; the loop performs it, in this order."""

from __future__ import annotations

from msgspec import Struct

from agent.conductor.core.model.entries import Entry
from agent.conductor.core.model.orders import Order


class Record(Struct, frozen=True):
    """Write into the journal; all of one event's in one transaction, before anything is sent."""

    entry: Entry


class Send(Struct, frozen=True):
    """Give a room this command with this id. Tokens are put in on the way."""

    room: str
    id: str
    order: Order


class Changed(Struct, frozen=True):
    """What is shown of these rooms, or of the meetings, is not what it was."""

    rooms: frozenset[str]
    day: bool = False
    """Whether the day's meetings or their rooms' readiness are others."""


class Announce(Struct, frozen=True):
    """Say to the hub which meetings (ids) this conductor runs."""

    meetings: list[str]


Effect = Record | Send | Changed | Announce
