"""Wire bytes to commands, and documents to wire bytes.

Topics are `agent.hub.topics`' business, field rules `agent.core.model.command_codec`'s; nothing here knows
of sockets.
"""

from __future__ import annotations

import re
import secrets

import msgspec

from agent.core.model.agenda import MAX_AGENDA_BYTES, Agenda
from agent.core.model.cleaning import visible
from agent.core.model.command_codec import (
    MAX_COMMAND_BYTES,
    CommandProblem,
    Decoded,
    command_from,
    decode_object,
    readable_id,
    whole,
)
from agent.core.model.commands import SIGNED_BY, Code, Reply
from agent.core.model.documents import EventDocument, HealthDocument, RoomState
from agent.core.model.events import AgendaReceived, CommandReceived, CommandRefused, Delivery
from agent.hub.signature import Signatures
from agent.hub.topics import Address, Topics
from agent.ports import Outgoing

_LEADING_ID = re.compile(rb'\s*\{\s*"id"\s*:\s*"([A-Za-z0-9-]{1,64})"\s*[,}]')
"""An `id` that is the very first field: readable without parsing what is too large to parse."""

STRANGERS = frozenset({Code.UNSIGNED, Code.BAD_SIGNATURE, Code.NOT_PERMITTED})
"""Refusals of senders who may not command this room: they don't choose where it writes, either."""

MAX_SENDER = 64
MAX_CORRELATION_BYTES = 1024

_encode = msgspec.json.Encoder().encode


class Incoming(msgspec.Struct, frozen=True):
    """A message as the broker delivered it. `retained`: it was published to be kept."""

    topic: str
    payload: bytes
    retained: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    delivery: Delivery | None = None
    sender: str | None = None
    """Whom the broker vouches for as the sender (`hub.sender_property`)."""


class Published(msgspec.Struct, frozen=True):
    """A message to publish, QoS 1. `correlation` is MQTT 5's Correlation Data."""

    topic: str
    payload: bytes
    retain: bool = False
    correlation: bytes | None = None

    @property
    def size(self) -> int:
        """Bytes of the packet, or a few more (MQTT 5, 3.3)."""
        properties = 3 + len(self.correlation) if self.correlation is not None else 0
        return 5 + 2 + len(self.topic.encode()) + 2 + 4 + properties + len(self.payload)


def decode_command(
    incoming: Incoming, topics: Topics, signatures: Signatures
) -> CommandReceived | CommandRefused:
    """What the core shall make of the message; never raises, whatever the payload."""
    address = topics.parse_command(incoming.topic)
    reply = _reply(incoming, topics)
    try:
        decoded = _decode(incoming, address, signatures, reply)
    except CommandProblem as problem:
        if problem.reason in STRANGERS:
            reply = None
        type = address.type[:40] if address else ""
        id = problem.id or _id_in(incoming.payload)
        return CommandRefused(id, type, problem.reason, problem.text, incoming.delivery, reply)
    return CommandReceived(
        decoded.command, incoming.delivery, unknown_fields=decoded.unknown_fields
    )


def decode_agenda(incoming: Incoming, address: Address, signatures: Signatures) -> AgendaReceived:
    """What the core shall make of a document on an agenda's topic; never raises, whatever the payload."""
    try:
        agenda = _agenda(incoming.payload, address, signatures)
    except CommandProblem as problem:
        return AgendaReceived(address.text, problem=(problem.reason, problem.text))
    return AgendaReceived(address.text, agenda)


def _agenda(payload: bytes, address: Address, signatures: Signatures) -> Agenda | None:
    if len(payload) > MAX_AGENDA_BYTES:
        text = (
            f"{len(payload)} bytes are too much for an agenda; at most {MAX_AGENDA_BYTES} are read"
        )
        raise CommandProblem(Code.TOO_LARGE, text)
    document = signatures.open_agenda(payload, address)
    if not document:
        return None
    try:
        agenda = msgspec.convert(whole(msgspec.json.decode(document)), Agenda)
    except msgspec.ValidationError as error:
        raise CommandProblem(Code.BAD_FIELD, f"agenda: {error}") from error
    except (msgspec.MsgspecError, ValueError, ArithmeticError, RecursionError) as error:
        raise CommandProblem(Code.NOT_JSON, f"not JSON: {error}") from error
    if agenda.to not in (None, address.text):
        raise CommandProblem(
            Code.NOT_PERMITTED, f"it is for {agenda.to} and came to {address.text}"
        )
    return agenda


def _decode(
    incoming: Incoming, address: Address | None, signatures: Signatures, reply: Reply | None
) -> Decoded:
    if address is None:
        text = f"topic {incoming.topic[:120]!r} is neither this room's nor one of its groups'"
        raise CommandProblem(Code.NOT_PERMITTED, text)
    if incoming.retained:
        text = "commands must not be retained: publish it without, and clear the topic"
        raise CommandProblem(Code.RETAINED, text)
    fields, key_id = signatures.open(incoming.payload, address)
    sender = _vouched(incoming.sender) if key_id is None else f"{SIGNED_BY}{key_id}"
    return command_from(
        fields, address.type, address.origin, new_command_id, sender=sender, reply=reply
    )


def _vouched(name: str | None) -> str | None:
    """The sender's name for the audit: one line of bounded length, and not to be taken for a key's."""
    if not name:
        return None
    return f"user {visible(name[:MAX_SENDER], '?')}"


def new_command_id() -> str:
    """An id for a command that came without one."""
    return secrets.token_hex(16)


def _id_in(payload: bytes) -> str | None:
    """The id of a refused payload where it can be read; a huge one is not parsed for it."""
    if len(payload) > MAX_COMMAND_BYTES:
        match = _LEADING_ID.match(payload, 0, 256)
        return match[1].decode() if match else None
    try:
        return readable_id(decode_object(payload))
    except CommandProblem:
        return None


def _reply(incoming: Incoming, topics: Topics) -> Reply | None:
    topic = incoming.response_topic
    if topic is None or not topics.may_reply_to(topic):
        return None
    if len(incoming.correlation or b"") > MAX_CORRELATION_BYTES:
        return None
    return Reply(topic, incoming.correlation)


def encode_state(state: RoomState, topics: Topics) -> Published:
    return Published(topics.state, _encode(state), retain=True)


class _Spoken(msgspec.Struct):
    session: str = ""


def session_of(payload: bytes) -> str:
    """The session that a state document is of; empty if it is none."""
    try:
        return msgspec.json.decode(payload, type=_Spoken).session
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return ""


def encode_health(health: HealthDocument, topics: Topics) -> Published:
    return Published(topics.health, _encode(health), retain=True)


def encode_outgoing(outgoing: Outgoing, topics: Topics) -> tuple[Published, Published | None]:
    """An event's or an ack's message on our own topic, and an ack's copy for the command's sender.

    The sender's topic is judged again: the outbox may be one of an older version.
    """
    message = outgoing.message
    if isinstance(message, EventDocument):
        return Published(topics.event(message.type), _encode(message)), None
    payload = _encode(message.ack)
    own = Published(topics.ack(message.ack.id), payload)
    reply = message.reply
    if (
        reply is None
        or not topics.may_reply_to(reply.topic)
        or len(reply.correlation or b"") > MAX_CORRELATION_BYTES
    ):
        return own, None
    return own, Published(reply.topic, payload, correlation=reply.correlation)
