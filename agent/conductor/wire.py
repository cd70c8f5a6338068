"""Topics and bytes between rooms and conductor: what rooms say into `seen`, orders into messages.

The contract is docs/contract.md; the room's side of it is `agent.hub.messages`.
"""

from __future__ import annotations

import logging
from typing import TypeVar

import msgspec

from agent.conductor.core.model.orders import Order
from agent.conductor.core.model.seen import (
    Seen,
    SeenAck,
    SeenAgenda,
    SeenConductor,
    SeenEvent,
    SeenHealth,
    SeenState,
)
from agent.core.model.cleaning import visible
from agent.core.model.command_codec import Envelope, extended
from agent.core.model.commands import Origin
from agent.core.model.json_values import Json
from agent.hub.messages import Incoming, decode_agenda
from agent.hub.signature import Signatures
from agent.hub.topics import Address

log = logging.getLogger(__name__)
T = TypeVar("T", bound=msgspec.Struct)
MAX_TEXT = 500
"""Characters of each text that are kept."""

MAX_BYTES = 256 * 1024
"""More than any document of a room; what is longer is not read."""


class HubTopics:
    """Every topic of the hub below `root`. Agendas are believed as `signatures` says."""

    def __init__(self, root: str, name: str, signatures: Signatures | None = None) -> None:
        self._signatures = signatures
        self._root = root
        self.own_state = f"{root}/conductor/{name}/state"

    def documents(self) -> list[str]:
        """The retained ones of all rooms."""
        return [f"{self._root}/room/+/state", f"{self._root}/room/+/health"]

    def filters(self) -> list[str]:
        """What the conductor listens to."""
        rooms = [f"{self._root}/room/+/{what}" for what in ("state", "health", "event/+", "ack/+")]
        agendas = [f"{self._root}/{whose}/+/agenda" for whose in ("room", "group")]
        return [*rooms, *agendas, f"{self._root}/conductor/+/state"]

    def command(self, room: str, type: str) -> str:
        return f"{self._root}/room/{room}/cmd/{type}"

    def decode(self, topic: str, payload: bytes) -> Seen | None:
        """What somebody said; None if it can't be read or says that it is of somebody else."""
        if len(payload) > MAX_BYTES:
            return None
        match topic.removeprefix(f"{self._root}/").split("/"):
            case ["room", room, "state"]:
                return _of(room, _decode(payload, SeenState))
            case ["room", room, "health"]:
                return _of(room, _decode(payload, SeenHealth))
            case ["room", room, "event", _]:
                return _of(room, _decode(payload, SeenEvent))
            case ["room", room, "ack", _]:
                return _of(room, _decode(payload, SeenAck))
            case ["room", room, "agenda"] if self._signatures is not None:
                return _agenda(Address(Origin.HUB, room, "agenda"), payload, self._signatures)
            case ["group", group, "agenda"] if self._signatures is not None:
                return _agenda(Address(Origin.GROUP, group, "agenda"), payload, self._signatures)
            case ["conductor", name, "state"]:
                said = _decode(payload, SeenConductor)
                return said if said is not None and said.name == name else None
        return None


def _agenda(address: Address, payload: bytes, signatures: Signatures) -> SeenAgenda | None:
    received = decode_agenda(Incoming("", payload, retained=True), address, signatures)
    if received.problem is not None:
        log.warning("the agenda of %s counts for nothing: %s", address.text, received.problem[1])
        return None
    return SeenAgenda(address.text, received.agenda)


R = TypeVar("R", SeenState, SeenHealth, SeenEvent, SeenAck)


def _of(room: str, document: R | None) -> R | None:
    return document if document is not None and document.room == room else None


def _decode(payload: bytes, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(_clean(msgspec.json.decode(payload)), kind)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _clean(value: Json) -> Json:
    """Nothing that a room says can move a terminal's cursor or fill a screen."""
    if isinstance(value, str):
        shown = value if len(value) <= MAX_TEXT else value[: MAX_TEXT - 1] + "…"
        return visible(shown, " ")
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return value


def encode_order(id: str, order: Order) -> bytes:
    """A command as it stands on the wire."""
    return extended(msgspec.json.encode(order), Envelope(id))
