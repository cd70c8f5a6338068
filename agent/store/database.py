"""The SQLite file under the journal: its schema, its durability, and what becomes of a broken one.

Write-ahead logging with one fsync a commit; sources: sqlite.org/wal.html, sqlite.org/pragma.html.
"""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from agent.core.model.documents import DeviceStatus, Status
from agent.errors import JournalError

log = logging.getLogger(__name__)

SCHEMA_VERSION = 1

SCHEMA = """
CREATE TABLE command (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    type TEXT NOT NULL,
    sender TEXT,
    received_at REAL NOT NULL,
    command BLOB,     -- until it is finished: it may carry tokens
    finished_at REAL,
    result BLOB       -- its final ack
);
CREATE INDEX command_unfinished ON command (number) WHERE result IS NULL;
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('ack', 'event', 'dropped')),
    message BLOB NOT NULL
);
CREATE TABLE event (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    at REAL NOT NULL,
    type TEXT NOT NULL,
    document BLOB NOT NULL
);
CREATE TABLE fact (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
"""

BUSY_SECONDS = 2.0
"""How long a write waits for a reader (the CLI's support bundle) to get out of the way."""

COMPANIONS = ("-wal", "-shm")
"""SQLite's own files beside a database: its write-ahead log and that log's index."""

KEPT_ASIDE = 3
"""Broken databases that are kept."""

ANEW_SECONDS = 30.0
"""Between two attempts to get a journal back onto the disk that is not there."""

_BROKEN = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_SCHEMA")


class Database:
    """`folder`/journal.db, made if need be; `condition` tells how it does.

    A corrupted file is set aside as journal.db.corrupt-<unix time> and replaced (degraded), when it
    is opened or when it turns out later. Where nothing can be written the journal is kept in memory
    (failed), beginning with what can be read of it: a room whose SD card has gone read-only is worth more
    reachable than dead, and still knows that it was muted by hand. It goes to the disk with the first write that can,
    and so does what was open when somebody deleted or replaced the file: nothing of it is lost.
    """

    def __init__(self, folder: Path) -> None:
        self.epoch = secrets.token_hex(4)
        """Which database this is: numbers of rows mean nothing in another, and it may be replaced."""
        self._path = folder / "journal.db"
        self._found = DeviceStatus(Status.OK, "ok", f"the journal is {self._path}")
        self._trouble: DeviceStatus | None = None
        """Why the last write or look failed, until one works again."""
        self._file: tuple[int, int] | None = None
        """Which file on the disk is ours; None while there is none."""
        self._supersedes = False
        """Whether all that the file on the disk holds is known here too."""
        self._anew_at = float("-inf")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = _open(self._path)
        except sqlite3.DatabaseError as error:
            if _is_broken(error):
                self._connection = self._replacement(error)
            else:
                self._connection = self._full(error) or self._in_memory(error)
        except OSError as error:
            self._connection = self._in_memory(error)
        else:
            self._file = _identity(self._path)

    @property
    def condition(self) -> DeviceStatus:
        return self._trouble or self._found

    def execute(self, query: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        """One statement. Raises JournalError."""
        with self._errors():
            return self._connection.execute(query, parameters)

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[None]:
        """All or nothing; on disk at the end if `durable`, else whenever the kernel likes.

        Either survives a killed process; only a durable one survives a power cut. One inside another
        is part of that. Raises JournalError.
        """
        if self._connection.in_transaction:
            yield
            return
        self._stay_on_disk()
        # FULL is one fsync a commit, NORMAL none (in WAL mode).
        self.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        self.execute("BEGIN IMMEDIATE")
        try:
            yield
            self.execute("COMMIT")
            self._trouble = None
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise

    def close(self) -> None:
        self._connection.close()

    @contextmanager
    def _errors(self) -> Iterator[None]:
        """SQLite's errors in the agent's words; a broken file costs what is under way, no more."""
        try:
            yield
        except sqlite3.Error as error:
            if _is_broken(error):
                self._connection.close()
                self._connection = self._replacement(error)
                self.epoch = secrets.token_hex(4)
                raise _journal_error(error) from error
            problem = _journal_error(error)
            self._trouble = DeviceStatus(Status.FAILED, problem.code, problem.text)
            raise problem from error

    def _stay_on_disk(self) -> None:
        """Nothing, if the file is the one that is open; else what is open becomes a file again, if that can be now."""
        now = time.monotonic()
        is_there = self._file is not None and self._file == _identity(self._path)
        if is_there or now < self._anew_at:
            return
        self._anew_at = now + ANEW_SECONDS
        was_moved = self._file is not None
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if os.path.lexists(self._path) and (was_moved or not self._supersedes):
                log.error("%s is not the agent's journal and is set aside", self._path)
                _set_aside(self._path)
            elif was_moved:  # what is left of ours would be taken for the new one's
                _unlink(self._path, COMPANIONS)
            written = _written(self._path, self._connection)
        except (OSError, sqlite3.Error) as error:
            self._found = self._not_kept(error)
            return
        self._connection.close()
        self._connection, self._file = written, _identity(self._path)
        self._anew_at = float("-inf")
        text = f"the journal is {self._path}"
        self._found = DeviceStatus(Status.OK, "ok", text)
        if was_moved:
            text = f"{self._path} was deleted or replaced while the agent ran, and was written anew with all that it held: find out who did that"
            self._found = DeviceStatus(Status.DEGRADED, "journal-taken-away", text)
        log.error("%s", text)

    def _replacement(self, reason: Exception) -> sqlite3.Connection:
        try:
            aside = _set_aside(self._path)
            connection = _open(self._path)
        except (OSError, sqlite3.Error) as error:
            return self._in_memory(error)
        self._file = _identity(self._path)
        self._found = DeviceStatus(
            Status.DEGRADED,
            "journal-replaced",
            f"{self._path} was corrupted ({reason}) and is kept as {aside.name}; commands before "
            "now are forgotten: check the SD card and the power supply",
        )
        log.error("%s", self._found.text)
        return connection

    def _full(self, reason: sqlite3.Error) -> sqlite3.Connection | None:
        """The file as it is, if the disk only lacks room: it is written again when there is some."""
        if _name(reason) != "SQLITE_FULL":
            return None
        try:
            connection = _open(self._path, probe=False)
        except (OSError, sqlite3.Error):
            return None
        problem = _journal_error(reason)
        self._trouble = DeviceStatus(Status.FAILED, problem.code, problem.text)
        log.error("%s", problem.text)
        self._file = _identity(self._path)
        return connection

    def _in_memory(self, reason: Exception) -> sqlite3.Connection:
        """A database that ends with the process; it begins with what can be read of the file."""
        self._file = None
        self._anew_at = time.monotonic() + ANEW_SECONDS
        self._found = self._not_kept(reason)
        log.error("%s", self._found.text)
        copy = _copy(self._path)
        self._supersedes = copy is not None
        return copy or _empty()

    def _not_kept(self, reason: Exception) -> DeviceStatus:
        return DeviceStatus(
            Status.FAILED,
            "journal-not-kept",
            f"{self._path} cannot be written ({reason}): nothing survives a power cut now; check "
            "the SD card, its free space and the folder's owner",
        )


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        found = path.lstat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _written(path: Path, source: sqlite3.Connection) -> sqlite3.Connection:
    """The file at `path`, opened, with all that `source` holds. Raises sqlite3.Error, OSError, and leaves no half of it."""
    is_new = not path.exists()
    try:
        with closing(_open(path)) as file:
            source.backup(file)
        return _open(path)
    except BaseException:
        if is_new:
            _unlink(path, ("", *COMPANIONS))
        raise


def _unlink(path: Path, suffixes: Sequence[str]) -> None:
    for suffix in suffixes:
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def _open(path: Path, *, probe: bool = True) -> sqlite3.Connection:
    """The file's connection, once it was found to be sound and ours, and (`probe`) writable.

    Raises sqlite3.Error, OSError.
    """
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA secure_delete = FAST")  # tokens of finished commands
        connection.execute("PRAGMA cache_size = -256")  # KiB: the daemon is small
        # A log that is written again in place costs less than one that grows.
        connection.execute("PRAGMA wal_autocheckpoint = 100")
        with closing(connection.execute("PRAGMA quick_check(1)")) as cursor:
            (verdict,) = cursor.fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if verdict != "ok" or version not in (0, SCHEMA_VERSION):
            raise _unusable(verdict if verdict != "ok" else f"unknown schema version {version}")
        if version == 0:
            _create(connection)
        if probe:  # a disk without room or a read-only one shows only when something is written
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _copy(path: Path) -> sqlite3.Connection | None:
    """What the file holds, in memory; None if it can't be read, or isn't ours.

    Read-only, SQLite reads the write-ahead log too if its index is there; without the log (`immutable`) it
    needs neither. sqlite.org/wal.html#read_only_databases
    """
    log_is_empty = not path.with_name(path.name + "-wal").exists()
    for options in ("mode=ro", *(["mode=ro&immutable=1"] if log_is_empty else [])):
        memory = sqlite3.connect(":memory:", isolation_level=None)
        try:
            with closing(
                sqlite3.connect(f"{path.absolute().as_uri()}?{options}", uri=True)
            ) as file:
                file.backup(memory)
            (version,) = memory.execute("PRAGMA user_version").fetchone()
            if version == SCHEMA_VERSION:
                return memory
        except sqlite3.Error as error:
            log.error("%s cannot be read: %s", path, error)
        memory.close()
    return None


def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _create(connection)
    return connection


def _create(connection: sqlite3.Connection) -> None:
    connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _unusable(text: str) -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError(text)
    error.sqlite_errorname = "SQLITE_CORRUPT"
    return error


def _set_aside(path: Path) -> Path:
    """Rename the database, and its write-ahead log, to `<name>.corrupt-<unix time>`.

    The latest few are kept to be looked at: a card that breaks every day must not get full of them.
    """
    aside = path.with_name(f"{path.name}.corrupt-{time.time():.0f}")
    path.rename(aside)
    for suffix in COMPANIONS:
        companion = path.with_name(path.name + suffix)
        if companion.exists():
            companion.rename(aside.with_name(aside.name + suffix))
    broken = sorted(set(path.parent.glob(f"{path.name}.corrupt-*[0-9]")) - {aside})
    for old in broken[: 1 - KEPT_ASIDE]:  # the newest stays, whatever the clock says
        _unlink(old, ("", *COMPANIONS))
    return aside


def _is_broken(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged, rather than the disk full or read-only."""
    return _name(error).startswith(_BROKEN)


def _name(error: sqlite3.Error) -> str:
    """SQLite's own name for it, such as SQLITE_FULL; empty if it isn't SQLite's error."""
    return str(getattr(error, "sqlite_errorname", ""))


def _journal_error(error: sqlite3.Error) -> JournalError:
    """The error for the reader who has to act."""
    name = _name(error)
    if name == "SQLITE_FULL":
        return JournalError("disk-full", f"the journal cannot be written: {error}; free some space")
    return JournalError(
        "journal-failed", f"the journal cannot be used: {error} ({name}); check the SD card"
    )
