"""The journal's rows <-> the core's data, as JSON.

A command's body is decoded by the command's type, since the bodies carry no tag on the wire.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

import msgspec
from msgspec import Raw, Struct

from agent.core.model.commands import COMMANDS, Command, Origin, Reply
from agent.core.model.documents import EventDocument
from agent.core.model.effects import SendAck
from agent.core.model.events import MeetingRecord

log = logging.getLogger(__name__)

T = TypeVar("T")

encode = msgspec.json.encode
"""Any of the core's structs -> bytes."""


class _StoredCommand(Struct):
    """`Command` with its body still to be decoded."""

    id: str
    type: str
    body: Raw
    origin: Origin
    issued: datetime | None = None
    expires: datetime | None = None
    sender: str | None = None
    reply: Reply | None = None


class _StoredMeeting(Struct):
    """`MeetingRecord` with its command still to be decoded."""

    command: _StoredCommand
    since_wall: float
    retrying: bool = False


def _command(stored: _StoredCommand) -> Command:
    fields = {name: getattr(stored, name) for name in stored.__struct_fields__}
    fields["body"] = msgspec.json.decode(stored.body, type=COMMANDS[stored.type])
    return Command(**fields)


def decode_command(row: bytes) -> Command:
    """The inverse of `encode(command)`. Raises msgspec.DecodeError, KeyError for foreign rows."""
    return _command(msgspec.json.decode(row, type=_StoredCommand))


def decode_meeting(row: bytes) -> MeetingRecord:
    """The inverse of `encode(meeting_record)`."""
    stored = msgspec.json.decode(row, type=_StoredMeeting)
    return MeetingRecord(_command(stored.command), stored.since_wall, stored.retrying)


def decode_message(kind: str, row: bytes) -> SendAck | EventDocument:
    """A message of the outbox: `kind` is `ack`, `event` or `dropped` (an event)."""
    if kind == "ack":
        return msgspec.json.decode(row, type=SendAck)
    return msgspec.json.decode(row, type=EventDocument)


def readable(decode: Callable[[bytes], T], row: bytes) -> T | None:
    """The row's content; None (and a line in the log) if another version of the agent wrote it."""
    try:
        return decode(row)
    except (msgspec.DecodeError, KeyError) as error:
        log.error("a row of the journal cannot be read and is left out: %s", error)
        return None
