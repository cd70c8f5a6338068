"""Commands as flat JSON objects, the same from MQTT and from the control socket.

`agent.hub.messages` and `agent.runtime.control` both read with `decode_object` and `command_from`, so a
command gets the same rules and the same answers wherever it comes in.

Fields are JSON values (`Fields`) on two ways only: from the bytes to the struct that judges them, and, where
somebody writes a command, to the bytes as they were written: a default that is named is not the same as
one that is left out (`Command.given`), and no struct keeps the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import msgspec

from agent.core.model import bad_field
from agent.core.model.cleaning import visible
from agent.core.model.commands import COMMANDS, Code, Command, CommandId, Instant, Origin, Reply
from agent.core.model.json_values import Fields, Json
from agent.errors import MessageError

MAX_COMMAND_BYTES = 64 * 1024
"""Longer than any command: four sources with the longest URLs and tokens take 25 KB."""


MAX_TEXT = 300
"""Characters of a refusal."""


class CommandProblem(MessageError):
    """No usable command. `id` and `type` are what could be read of it; `code` is an ack's code.

    The text, which may quote what came in, is made one line of bounded length.
    """

    def __init__(self, code: Code, text: str, id: str | None = None, type: str = "") -> None:
        super().__init__(code, _one_line(text))
        self.reason = code
        self.id = id
        self.type = type


def _one_line(text: str) -> str:
    shown = text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"
    return visible(shown, "?")


class Envelope(msgspec.Struct, frozen=True, omit_defaults=True):
    """The fields that every command may have."""

    id: CommandId | None = None
    issued: Instant | None = None
    expires: Instant | None = None


class CommandHead(msgspec.Struct, frozen=True):
    """What a command has beside its own fields where no topic says its type."""

    type: str
    id: str


ENVELOPE_FIELDS = {*Envelope.__struct_fields__, "type"}


class Decoded(NamedTuple):
    """A command, and the paths of the fields in it that nobody knows (for a warning)."""

    command: Command
    unknown_fields: list[str]


def unwrapped(payload: bytes) -> bytes:
    """Without what other programs put around a text: a byte order mark, and the zeros that end a string in C."""
    return payload.removeprefix(b"\xef\xbb\xbf").rstrip(b"\0")


EXACT = 2**53
"""Up to here a number with a fraction is each whole number (IEEE 754)."""


def whole(value: Json) -> Json:
    """The decoded JSON with 40 for 40.0 everywhere: some programs know no other numbers. Raises RecursionError."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) <= EXACT else value
    if isinstance(value, list):
        return [whole(item) for item in value]
    return {key: whole(item) for key, item in value.items()} if isinstance(value, dict) else value


def decode_object(data: bytes) -> Fields:
    """The JSON object in `data`. Raises CommandProblem (`too-large`, `not-json`)."""
    if len(data) > MAX_COMMAND_BYTES:
        text = f"{len(data)} bytes are too much for a command; at most {MAX_COMMAND_BYTES} are read"
        raise CommandProblem(Code.TOO_LARGE, text)
    try:
        fields = whole(msgspec.json.decode(unwrapped(data)))
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise CommandProblem(Code.NOT_JSON, f"not JSON: {error}") from error
    if not isinstance(fields, dict):
        text = f"expected a JSON object, got {type(fields).__name__}"
        raise CommandProblem(Code.NOT_JSON, text)
    return fields


def extended(document: bytes, more: msgspec.Struct) -> bytes:
    """The JSON object with the fields of `more` too, which take the place of its own of that name.

    The others stay as they were written, to the byte. Raises msgspec.MsgspecError if it is no JSON object.
    """
    fields = _raw(document) | _raw(msgspec.json.encode(more))
    return msgspec.json.encode(fields)


def _raw(document: bytes) -> dict[str, msgspec.Raw]:
    return msgspec.json.decode(document, type=dict[str, msgspec.Raw])


def command_from(
    fields: Fields,
    type: str,
    origin: Origin,
    new_id: Callable[[], str],
    *,
    sender: str | None = None,
    reply: Reply | None = None,
) -> Decoded:
    """The command of this `type` with these fields; `new_id` serves a sender that gave no id.

    Raises CommandProblem (`unknown-command`, `missing-field`, `bad-field`), whose text names the field.
    """
    known_id = readable_id(fields)
    kind = COMMANDS.get(type)
    if kind is None:
        text = f"unknown command {type[:40]!r}; there are {', '.join(COMMANDS)}"
        raise CommandProblem(Code.UNKNOWN_COMMAND, text, known_id, type[:40])
    if fields.get("type", type) != type:
        text = f"type: the message says {fields['type']!r:.40}, its topic '{type}'"
        raise CommandProblem(Code.BAD_FIELD, text, known_id, type)
    try:
        envelope = msgspec.convert(fields, Envelope)
        body = msgspec.convert(fields, kind)
    except msgspec.ValidationError as error:
        raise _problem(error, fields, known_id, type) from error
    unknown = [path for path in _unknown_fields(fields, body) if path not in ENVELOPE_FIELDS]
    command = Command(
        id=envelope.id or new_id(),
        type=type,
        body=body,
        origin=origin,
        issued=envelope.issued,
        expires=envelope.expires,
        sender=sender,
        reply=reply,
        given=frozenset(fields) & frozenset(body.__struct_fields__),
    )
    return Decoded(command, unknown)


def readable_id(fields: Fields) -> str | None:
    """The sender's id if there is a usable one, for answering what is refused otherwise."""
    try:
        return msgspec.convert(fields.get("id"), CommandId | None)
    except msgspec.ValidationError:
        return None


def _problem(
    error: msgspec.ValidationError, fields: Fields, id: str | None, type: str
) -> CommandProblem:
    missing = "missing required field" in str(error)
    code = Code.MISSING_FIELD if missing else Code.BAD_FIELD
    return CommandProblem(code, bad_field.explain(error, fields, type, COMMANDS[type]), id, type)


def _unknown_fields(raw: Json, decoded: object, prefix: str = "") -> Iterator[str]:
    """Paths of the keys of `raw` that the struct `decoded` did not take, nested structs included."""
    if isinstance(raw, list) and isinstance(decoded, list):
        for index, (raw_item, item) in enumerate(zip(raw, decoded, strict=True)):
            yield from _unknown_fields(raw_item, item, f"{prefix}[{index}].")
    if not (isinstance(raw, dict) and isinstance(decoded, msgspec.Struct)):
        return
    for name, value in raw.items():
        if name not in decoded.__struct_fields__:
            yield prefix + name
        else:
            inner = getattr(decoded, name)
            separator = "" if isinstance(inner, list) else "."
            yield from _unknown_fields(value, inner, prefix + name + separator)
