"""Signed commands: a JWS (RFC 7515, compact, EdDSA) around a command's JSON, and who may sign what.

With `hub.require_signature` a room obeys keys and not the broker: one that was broken into can hold
commands back, and cannot open a microphone.
"""

from __future__ import annotations

import base64
import re
import warnings
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from agent.core.model.command_codec import (
    MAX_COMMAND_BYTES,
    CommandProblem,
    decode_object,
    extended,
    readable_id,
    unwrapped,
)
from agent.core.model.commands import (
    COMMANDS,
    MAX_SIGNED_SECONDS,
    Code,
    CommandId,
    Identifier,
    Instant,
    Origin,
)
from agent.core.model.json_values import Fields
from agent.errors import ConfigError
from agent.hub.topics import Address
from agent.hub.trusted_keys import ANY, KEY_ID, KeyFolder, TrustedKey

if TYPE_CHECKING:
    from types import ModuleType

ALGORITHM = "EdDSA"
AGENDA = "agenda"
"""Among a key's types: it may write agendas."""
MAX_LIFETIME = timedelta(seconds=MAX_SIGNED_SECONDS)

_COMPACT = re.compile(rb"\s*([A-Za-z0-9_-]+\.){2}[A-Za-z0-9_-]+\s*")


class _Header(msgspec.Struct):
    kid: str


class Signed(msgspec.Struct, frozen=True):
    """What a signed command must have beside its own fields."""

    id: CommandId
    type: str
    to: str
    """`room/<room>` or `group/<group>`: else it could be replayed to another room."""
    issued: Instant
    expires: Instant


class _SignedAgenda(msgspec.Struct, frozen=True):
    to: str
    issued: Instant


class _Seal(msgspec.Struct, frozen=True):
    """What a command gets beside its own fields when it is signed."""

    to: str
    issued: datetime
    expires: datetime


class Opened(NamedTuple):
    """A command's fields, and the id of the key that vouches for them (None: nobody does)."""

    fields: Fields
    key_id: str | None


class Signatures:
    """Opens payloads by the keys in `folder`; unsigned ones pass unless signatures are `required`."""

    def __init__(self, folder: str | Path, *, required: bool) -> None:
        self._keys = KeyFolder(folder)
        self._required = required

    def open(self, payload: bytes, address: Address) -> Opened:
        """The payload's fields, checked for this address. Raises CommandProblem.

        `expires` is for the core to judge, which knows whether the clock is to be believed.
        """
        payload = unwrapped(payload)
        if not self._looks_signed(payload):
            fields = decode_object(payload)
            if self._required:
                text = "unsigned: this room obeys signed commands only (diemcau hub sign)"
                raise CommandProblem(Code.UNSIGNED, text, readable_id(fields), address.type[:40])
            return Opened(fields, None)
        key_id, key, document = self._verify(payload.strip())
        fields = decode_object(document)
        try:
            self._check(key_id, key, msgspec.convert(fields, Signed), address)
        except msgspec.ValidationError as error:
            text = f"signed by {key_id}, but not whole: {error}"
            raise CommandProblem(Code.MISSING_FIELD, text, readable_id(fields)) from error
        fields.pop("to")
        return Opened(fields, key_id)

    def open_agenda(self, payload: bytes, address: Address) -> bytes:
        """The agenda document in the payload, empty where it is cleared. Raises CommandProblem.

        Where signatures are required nobody clears by an empty message: a signed document without items does it.
        """
        payload = unwrapped(payload)
        if not _COMPACT.fullmatch(payload) or not (self._required or self._keys.exists()):
            if self._required:
                raise CommandProblem(Code.UNSIGNED, "unsigned: this room obeys signed agendas only")
            return payload
        key_id, key, document = self._verify(payload.strip())
        try:
            signed = msgspec.json.decode(document, type=_SignedAgenda)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise CommandProblem(
                Code.BAD_FIELD, f"signed by {key_id}, but not whole: {error}"
            ) from error
        allowed = key.rooms if address.origin is Origin.HUB else key.groups
        problem = ""
        if signed.to != address.text:
            problem = f"it is for {signed.to:.80} and came to {address.text}"
        elif not {ANY, AGENDA} & set(key.types):
            problem = f"this key may give {', '.join(key.types)}, not agenda"
        elif not {ANY, address.name} & set(allowed):
            problem = f"this key may not address {address.text}"
        elif key.until is not None and signed.issued > key.until:
            problem = f"this key ended at {key.until.isoformat()}"
        if problem:
            raise CommandProblem(Code.NOT_PERMITTED, f"signed by {key_id}: {problem}")
        return document

    def _looks_signed(self, payload: bytes) -> bool:
        """Without keys nothing is, so that no payload can make a room load what it doesn't use."""
        if len(payload) > MAX_COMMAND_BYTES or not _COMPACT.fullmatch(payload):
            return False
        return self._required or self._keys.exists()

    def _verify(self, token: bytes) -> tuple[str, TrustedKey, bytes]:
        """The key is looked up first: nobody else's token makes us load the library."""
        try:
            header = token[: token.index(b".")]
            padded = header + b"=" * (-len(header) % 4)
            key_id = msgspec.json.decode(base64.urlsafe_b64decode(padded), type=_Header).kid
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            text = "signed, but its header names no key (kid)"
            raise CommandProblem(Code.BAD_SIGNATURE, text) from error
        key = self._keys.find(key_id)
        joserfc = _library()
        try:
            public = joserfc.jwk.OKPKey.import_key(dict(key.key))
            opened = joserfc.jws.deserialize_compact(token, public, algorithms=[ALGORITHM])
        except (joserfc.errors.JoseError, ValueError, TypeError) as error:
            text = f"the signature by {key_id} does not hold: {error}"
            raise CommandProblem(Code.BAD_SIGNATURE, text) from error
        return key_id, key, bytes(opened.payload)

    @staticmethod
    def _check(key_id: str, key: TrustedKey, signed: Signed, address: Address) -> None:
        """Raises CommandProblem if the key may not, or the command is meant for somebody else."""
        place = "room" if address.origin is Origin.HUB else "group"
        allowed = key.rooms if address.origin is Origin.HUB else key.groups
        problem = ""
        if signed.to != f"{place}/{address.name}":
            problem = f"it is for {signed.to:.80} and came to {place}/{address.name}"
        elif signed.type != address.type:
            problem = f"it is a {signed.type:.40} and came as {address.type[:40]}"
        elif not {ANY, address.type} & set(key.types):
            problem = f"this key may give {', '.join(key.types)}, not {address.type[:40]}"
        elif not {ANY, address.name} & set(allowed):
            problem = f"this key may not address {place}/{address.name}"
        elif not timedelta(0) < signed.expires - signed.issued <= MAX_LIFETIME:
            problem = f"from issued to expires it must be {MAX_LIFETIME} at the most"
        elif key.until is not None and signed.issued > key.until:
            problem = f"this key ended at {key.until.isoformat()}"
        if problem:
            text = f"signed by {key_id}: {problem}"
            raise CommandProblem(Code.NOT_PERMITTED, text, signed.id, address.type)


class Signer(NamedTuple):
    """A private key and its id."""

    key_id: str
    key: dict[str, str]

    def sign(self, document: bytes) -> str:
        """The JSON `document`, byte by byte, as a JWS; a room wants `Signed`'s fields in it. Raises CommandProblem."""
        joserfc = _library()
        header = {"alg": ALGORITHM, "kid": self.key_id}
        private = joserfc.jwk.OKPKey.import_key(dict(self.key))
        return str(joserfc.jws.serialize_compact(header, document, private, algorithms=[ALGORITHM]))

    def sign_command(self, command: bytes, to: str, now: datetime, seconds: float) -> str:
        """A command's JSON (with `id` and `type`) as a JWS for `to`, good for so long from now.

        Raises CommandProblem if joserfc is not there.
        """
        return self.sign(extended(command, _Seal(to, now, now + timedelta(seconds=seconds))))


def read_signer(path: Path) -> Signer:
    """The private key that `diemcau hub key` wrote. Raises ConfigError."""
    try:
        key = msgspec.json.decode(path.read_bytes(), type=dict[str, str])
        return Signer(key.pop("kid"), key)
    except (OSError, msgspec.MsgspecError, KeyError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        text = f"{path}: no private key of `diemcau hub key`: {why}"
        raise ConfigError([text]) from error


def make_key(
    key_id: str,
    owner: str,
    types: list[str],
    rooms: list[str],
    groups: list[str],
    until: datetime | None = None,
) -> tuple[Signer, TrustedKey]:
    """A new key pair, and the file that makes rooms trust it. Raises ConfigError on bad names."""
    problems = [f"{one!r}: no such command" for one in types if one not in {ANY, AGENDA, *COMMANDS}]
    if not KEY_ID.fullmatch(key_id):
        problems.append(f"{key_id!r} is not a key's id: a-z, 0-9, '-' and '.'")
    for name in {*rooms, *groups} - {ANY}:
        try:
            msgspec.convert(name, Identifier)
        except msgspec.ValidationError:
            problems.append(f"{name!r} is not a room's or group's id")
    if problems:
        raise ConfigError(problems)
    made = _library().jwk.OKPKey.generate_key("Ed25519")
    public = TrustedKey(owner, made.as_dict(private=False), types, rooms, groups, until)
    return Signer(key_id, made.as_dict(private=True)), public


def _library() -> ModuleType:
    """joserfc, loaded with the first signature: 11 MB. Raises CommandProblem if it is not there."""
    warnings.filterwarnings("ignore", message="EdDSA is deprecated")  # in names only: RFC 9864
    try:
        import joserfc
        import joserfc.errors
        import joserfc.jwk
        import joserfc.jws
    except ImportError as error:
        text = "signatures cannot be checked here: install python3-joserfc"
        raise CommandProblem(Code.BAD_SIGNATURE, text) from error
    return joserfc
