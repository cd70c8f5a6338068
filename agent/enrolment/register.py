"""Who was enrolled, with which certificate, until when: `register.json` beside the CA.

Certificates can be made again, the register cannot: back it up together with the CA's keys.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path

import msgspec

from agent.errors import ConfigError
from agent.files import replace_file


class Kind(StrEnum):
    """What a certificate is for."""

    HUB = "hub"
    ROOM = "room"
    OPERATOR = "operator"


class Entry(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """One certificate. `name` is its common name; `groups` are a room's."""

    kind: Kind
    name: str
    serial: str
    issued: datetime
    expires: datetime
    groups: list[str] = []
    revoked: datetime | None = None

    def valid(self, now: datetime) -> bool:
        return self.revoked is None and now < self.expires


class Register(msgspec.Struct, forbid_unknown_fields=True):
    """Every certificate ever made, oldest first, and the topics' root that they are for."""

    topic_root: str
    entries: list[Entry] = []

    def current(self, kind: Kind, now: datetime) -> dict[str, Entry]:
        """The newest valid certificate of each name."""
        return {one.name: one for one in self.entries if one.kind is kind and one.valid(now)}

    def of(self, name: str) -> list[Entry]:
        """All certificates that this name ever had, oldest first."""
        return [one for one in self.entries if one.name == name]


def load(path: Path) -> Register:
    """Raises ConfigError if it is not there or damaged."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Register)
    except FileNotFoundError as error:
        text = f"{path.parent}: there is no CA here; make one with: diemcau hub ca"
        raise ConfigError([text]) from error
    except (OSError, msgspec.MsgspecError) as error:
        raise ConfigError([f"{path}: cannot be used: {error}; restore it from a backup"]) from error


def save(register: Register, path: Path) -> None:
    """All or nothing, also when the power goes."""
    replace_file(path, msgspec.json.format(msgspec.json.encode(register), indent=1) + b"\n")
