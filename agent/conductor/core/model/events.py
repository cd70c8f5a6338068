"""What happened, as the conductor's core hears it; what rooms say is in `seen`."""

from __future__ import annotations

from msgspec import Struct

from agent.conductor.core.model.entries import Entry
from agent.conductor.core.model.seen import Seen


class LinkUp(Struct, frozen=True):
    """The broker is there and hears us; retained documents follow."""


class LinkDown(Struct, frozen=True):
    """The broker is away; `text` says why."""

    text: str


class ActKept(Struct, frozen=True):
    """An act that `Conductor.decide` allowed is in the journal now: it counts."""

    entry: Entry


class DueCame(Struct, frozen=True):
    """The time that `Conductor.due_at` named has come."""


Event = LinkUp | LinkDown | ActKept | DueCame | Seen
