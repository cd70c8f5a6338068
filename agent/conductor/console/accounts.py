"""Operators' accounts: names, argon2 hashes of passwords, and what each may do."""

from __future__ import annotations

import os
import re
from pathlib import Path

import msgspec

from agent.errors import AgentError
from agent.files import replace_file

ACCOUNTS = "accounts.json"
ROLES = ("operator", "viewer")
NAME = re.compile(r"[\w.@-]{1,40}\Z")
MIN_PASSWORD = 10
"""Characters; with the pauses between tries it is out of reach to guess one."""

MAX_PASSWORD = 200
"""Characters; longer ones only keep the machine hashing."""

_NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
"""Checked for names that don't exist, so that they take as long as those that do."""


class Account(msgspec.Struct, frozen=True):
    """One person."""

    password: str
    role: str


class Accounts:
    """In `file`, read anew when it is another than before, so that a change counts at once.

    It is replaced whole (`files.replace_file`): another inode, or another time or size if somebody edits it.
    """

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: tuple[object, dict[str, Account]] = ((), {})
        """What the file looked like from outside, and what stood in it then. One value, since threads share it."""

    def keep(self, name: str, password: str, role: str) -> None:
        """Make the account or change it. Raises AgentError."""
        from argon2 import PasswordHasher

        if not NAME.match(name):
            raise AgentError("bad-name", f"{name!r}: letters, digits, '.', '-', '@', at most 40")
        if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
            text = f"the password must have {MIN_PASSWORD} to {MAX_PASSWORD} characters"
            raise AgentError("bad-password", text)
        accounts = dict(self._read())
        accounts[name] = Account(PasswordHasher().hash(password), role)
        self._write(accounts)

    def remove(self, name: str) -> None:
        """Its sessions end with it. Raises AgentError."""
        accounts = dict(self._read())
        if accounts.pop(name, None) is None:
            raise AgentError("bad-name", f"there is no account {name!r}")
        self._write(accounts)

    def _write(self, accounts: dict[str, Account]) -> None:
        self.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        content = msgspec.json.format(msgspec.json.encode(accounts))
        replace_file(self.file, content, 0o600)
        if os.geteuid() == 0:  # by sudo, and for the service
            folder = self.file.parent.stat()
            os.chown(self.file, folder.st_uid, folder.st_gid)

    def role_of(self, name: str, password: str) -> str | None:
        """The role if name and password belong together, else None. Takes a tenth of a second."""
        from argon2 import PasswordHasher
        from argon2.exceptions import InvalidHash, VerificationError

        if len(password) > MAX_PASSWORD:
            return None
        account = self._read().get(name)
        try:
            PasswordHasher().verify(account.password if account else _NOBODY, password)
        except (VerificationError, InvalidHash):
            return None
        return account.role if account else None

    def role_now(self, name: str) -> str | None:
        """What this name may do now; None if the account is gone."""
        account = self._read().get(name)
        return account.role if account else None

    def proof_of(self, name: str) -> str:
        """Another one after each change of the account; empty if there is none."""
        account = self._read().get(name)
        return f"{account.role} {account.password}" if account else ""

    def _read(self) -> dict[str, Account]:
        try:
            facts = self.file.stat()
            look = (facts.st_dev, facts.st_ino, facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size)
            seen, accounts = self._known
            if look != seen:
                accounts = msgspec.json.decode(self.file.read_bytes(), type=dict[str, Account])
                self._known = look, accounts
            return accounts
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.MsgspecError) as error:
            raise AgentError("bad-accounts", f"{self.file} cannot be read: {error}") from error
