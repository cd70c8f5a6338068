"""The folder of keys whose signatures count: one JSON file a key, with what it may do.

Pairs with `agent.hub.signature`, which checks a command against one of them.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

import msgspec

from agent.core.model.command_codec import CommandProblem
from agent.core.model.commands import Code, Instant

ANY = "*"
KEY_ID = re.compile(r"[a-z0-9][a-z0-9.-]{0,62}")


class TrustedKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A key's file, `<key id>.json`; `*` in a list means all."""

    owner: str
    key: dict[str, str]
    """The public key as a JWK (RFC 8037: kty OKP, crv Ed25519)."""
    types: list[str]
    """Command types that it may give."""
    rooms: list[str] = []
    """Rooms that it may address."""
    groups: list[str] = []
    """Groups that it may address."""
    until: Instant | None = None
    """When it ends, for keys that are being replaced."""


class KeyFolder:
    """Finds keys by id. A file that was added, changed or removed counts at once; one that somebody else on this
    machine may write does not, since its owner would be whoever wrote it last."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._read: dict[str, tuple[tuple[int, int], TrustedKey]] = {}

    def exists(self) -> bool:
        return self._path.is_dir()

    def find(self, key_id: str) -> TrustedKey:
        """Raises CommandProblem for one that is not there or cannot be used."""
        if not KEY_ID.fullmatch(key_id):
            text = f"signed with a key that nobody trusts: kid {key_id!r:.80}"
            raise CommandProblem(Code.BAD_SIGNATURE, text)
        path = self._path / f"{key_id}.json"
        try:
            _check_folder(self._path)
            status = path.stat()
            _check_file(path, status)
            version = (status.st_mtime_ns, status.st_ino)
            if key_id not in self._read or self._read[key_id][0] != version:
                key = msgspec.json.decode(path.read_bytes(), type=TrustedKey)
                self._read[key_id] = version, key
            return self._read[key_id][1]
        except FileNotFoundError as error:
            text = f"signed with the key {key_id}, which is not in {self._path}"
            raise CommandProblem(Code.BAD_SIGNATURE, text) from error
        except (OSError, msgspec.MsgspecError) as error:
            text = f"the trusted key {path} cannot be used: {error}"
            raise CommandProblem(Code.BAD_SIGNATURE, text) from error


def _check_file(path: Path, status: os.stat_result) -> None:
    """Raises CommandProblem unless root or this user alone may change the file."""
    written = f"the trusted key {path} can be written by others on this machine; chmod 644 it"
    _check_owner(status, written, f"the trusted key {path} belongs to another user; chown root it")


def _check_folder(folder: Path) -> None:
    """Raises CommandProblem unless root or this user alone may put a file, or a link to one, in there."""
    written = f"{folder} can be written by others on this machine; chmod 755 it"
    _check_owner(folder.stat(), written, f"{folder} belongs to another user; chown root it")


def _check_owner(status: os.stat_result, written: str, foreign: str) -> None:
    """Raises CommandProblem, with a text for each of the two ways in which it is not ours alone."""
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise CommandProblem(Code.BAD_SIGNATURE, written)
    if status.st_uid not in (0, os.geteuid()):
        raise CommandProblem(Code.BAD_SIGNATURE, foreign)
