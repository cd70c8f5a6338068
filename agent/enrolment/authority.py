"""Makes, renews and revokes the certificates of hub, rooms and operators, in one folder.

Two CAs: rooms and operators come in by different doors (listeners), and a room's certificate opens
only the rooms' door. docs/hub-security.md tells an operator how to use it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from agent.core.model.commands import IDENTIFIER
from agent.enrolment import acl, certificates, register
from agent.enrolment.certificates import Issued, Issuer
from agent.enrolment.register import Entry, Kind, Register
from agent.errors import ConfigError
from agent.files import locked, replace_file

AUTHORITY_LIFETIME = timedelta(days=3650)
LIFETIMES = {
    Kind.HUB: timedelta(days=730),
    Kind.ROOM: timedelta(days=730),
    Kind.OPERATOR: timedelta(days=365),
}
"""Two years in a room that nobody visits; `diemcau hub list` and the room's health warn before."""

ROOM_NAME = re.compile(IDENTIFIER)
OPERATOR_NAME = re.compile(rf"operator\.{IDENTIFIER.removeprefix('^')}")
"""With a dot, which no room's id may have: an operator is never taken for a room."""

ROOMS_CA, OPERATORS_CA = "ca", "operators-ca"


class Authority:
    """The CAs in `folder`. Every change is on disk when a method returns; `now` gives aware UTC.

    Who changes something at the same time, in another process too, waits. A certificate stands in the register, and
    can be taken back, before anybody can have it.
    """

    def __init__(
        self, folder: Path, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.folder = folder
        self.broker = folder / "broker"
        """All that the broker needs, and nothing else."""
        self._now = now
        self._register = folder / "register.json"

    def create(self, topic_root: str) -> None:
        """Make both CAs. Raises ConfigError if there are some: they are never overwritten."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with locked(self.folder / ".lock"):
            if self._register.exists():
                text = f"{self.folder}: there is a CA already; a new one locks all rooms out"
                raise ConfigError([text])
            for file, name in ((ROOMS_CA, "diemcau rooms"), (OPERATORS_CA, "diemcau operators")):
                made = certificates.make_authority(name, self._now(), AUTHORITY_LIFETIME)
                replace_file(self.folder / f"private/{file}.key", made.key, 0o600)
                replace_file(self.broker / f"{file}.pem", made.certificate)
            self._save(Register(topic_root))

    def enrol_hub(self, hosts: list[str]) -> Path:
        """The broker's certificate for these names and addresses; returns the folder for the broker."""
        issuer = self._issuer(ROOMS_CA)
        made = certificates.make_server(issuer, hosts, self._now(), LIFETIMES[Kind.HUB])
        return self._enter(Kind.HUB, hosts[0], made, folder="broker", file="hub")

    def enrol_room(self, room: str, groups: list[str]) -> Path:
        """A room's certificate; returns the folder to bring to it. Again for a room: renews it."""
        for name in (room, *groups):
            _check_name(name, ROOM_NAME, "a room's or group's id: a-z, 0-9 and '-'")
        made = certificates.make_client(
            self._issuer(ROOMS_CA), room, self._now(), LIFETIMES[Kind.ROOM]
        )
        return self._enter(
            Kind.ROOM, room, made, folder=f"rooms/{room}", file="room", groups=groups
        )

    def move_room(self, room: str, groups: list[str]) -> list[str]:
        """The room's groups from now on, with the certificate that it has; returns those before.

        Raises ConfigError for a room that has none.
        """
        for name in groups:
            _check_name(name, ROOM_NAME, "a room's or group's id: a-z, 0-9 and '-'")
        with self._changing() as book:
            entry = next((one for one in reversed(book.of(room)) if one.revoked is None), None)
            if entry is None or entry.kind is not Kind.ROOM:
                raise _unknown(room)
            serial, before = entry.serial, entry.groups
            for one in book.entries:
                if one.serial == serial:
                    one.groups = groups
        return before

    def enrol_operator(self, name: str) -> Path:
        """An operator's certificate; returns its folder."""
        common_name = f"operator.{name}"
        _check_name(common_name, OPERATOR_NAME, "an operator's name: a-z, 0-9 and '-'")
        made = certificates.make_client(
            self._issuer(OPERATORS_CA), common_name, self._now(), LIFETIMES[Kind.OPERATOR]
        )
        return self._enter(
            Kind.OPERATOR, common_name, made, folder=f"operators/{name}", file="operator"
        )

    def renew(self, name: str) -> Path:
        """A new certificate for who has one; the old one stays valid until it ends or is revoked."""
        newest = _entries_of(name, self.load())[-1]
        match newest.kind:
            case Kind.ROOM:
                return self.enrol_room(name, newest.groups)
            case Kind.OPERATOR:
                return self.enrol_operator(name.removeprefix("operator."))
        raise ConfigError([f"{name}: renew the hub's with: diemcau hub enroll-hub, and its names"])

    def revoke(self, name: str, serial: str | None = None) -> list[Entry]:
        """Revoke all certificates of that name, or the one; returns those that were valid."""
        with self._changing() as book:
            found = _entries_of(name, book)
            revoked = [one for one in found if one.revoked is None and serial in (None, one.serial)]
            for entry in revoked:
                entry.revoked = self._now()
        return revoked

    def load(self) -> Register:
        return register.load(self._register)

    @contextmanager
    def _changing(self) -> Iterator[Register]:
        """The register, which nobody else changes meanwhile; saved at the end."""
        self.load()  # where there is none there is nothing to lock
        with locked(self.folder / ".lock"):
            book = self.load()
            yield book
            self._save(book)

    def _issuer(self, name: str) -> Issuer:
        try:
            return Issuer.from_pem(
                (self.broker / f"{name}.pem").read_bytes(),
                (self.folder / f"private/{name}.key").read_bytes(),
            )
        except OSError as error:
            text = f"{error.filename}: {error.strerror}; make a CA with: diemcau hub ca"
            raise ConfigError([text]) from error

    def _enter(
        self,
        kind: Kind,
        name: str,
        made: Issued,
        *,
        folder: str,
        file: str,
        groups: list[str] | None = None,
    ) -> Path:
        """Write the register, from which list and ACL are made, then what the certificate's bearer needs."""
        target, now = self.folder / folder, self._now()
        entry = Entry(kind, name, made.serial, now, now + LIFETIMES[kind], groups or [])
        with self._changing() as book:
            book.entries.append(entry)
        with locked(self.folder / ".lock"):
            replace_file(target / f"{file}.key", made.key, 0o600)
            replace_file(target / f"{file}.pem", made.certificate)
            replace_file(target / "ca.pem", (self.broker / f"{ROOMS_CA}.pem").read_bytes())
        return target

    def _save(self, book: Register) -> None:
        register.save(book, self._register)
        replace_file(self.broker / "acl", acl.render(book, self._now()).encode(), 0o640)
        self._write_revocations(book, ROOMS_CA, {Kind.HUB, Kind.ROOM})
        self._write_revocations(book, OPERATORS_CA, {Kind.OPERATOR})

    def _write_revocations(self, book: Register, name: str, kinds: set[Kind]) -> None:
        revoked = [(one.serial, one.revoked) for one in book.entries if one.kind in kinds]
        crl = certificates.make_revocation_list(
            self._issuer(name),
            [(serial, since) for serial, since in revoked if since is not None],
            self._now(),
            AUTHORITY_LIFETIME,
        )
        replace_file(self.broker / f"{name}.crl", crl)


def _entries_of(name: str, book: Register) -> list[Entry]:
    if not (found := book.of(name)):
        raise _unknown(name)
    return found


def _unknown(name: str) -> ConfigError:
    return ConfigError([f"{name}: nobody of that name was enrolled; see: diemcau hub list"])


def _check_name(name: str, pattern: re.Pattern[str], expected: str) -> None:
    if not pattern.fullmatch(name):
        raise ConfigError([f"{name!r} is not {expected}"])
