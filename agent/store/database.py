"""The SQLite file under the journal: its schema, its durability, and what becomes of a broken one.

Write-ahead logging with one fsync a commit; sources: sqlite.org/wal.html, sqlite.org/pragma.html.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from agent.core.documents import DeviceStatus, Status
from agent.errors import JournalError

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

_BROKEN = ("SQLITE_CORRUPT", "SQLITE_NOTADB", "SQLITE_SCHEMA")


def open_database(folder: Path) -> tuple[sqlite3.Connection, DeviceStatus]:
    """Open `folder`/journal.db, made if need be, and tell how that went.

    A corrupted file is set aside as journal.db.corrupt-<unix time> and replaced (degraded). Where
    nothing can be written the journal is kept in memory (failed): a room whose SD card has gone
    read-only is worth more reachable than dead.
    """
    path = folder / "journal.db"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _checked(path), DeviceStatus(Status.OK, "ok", f"the journal is {path}")
    except sqlite3.DatabaseError as error:
        if not is_broken(error):
            return _in_memory(path, error)
        reason = str(error)
    except OSError as error:
        return _in_memory(path, error)
    try:
        aside = set_aside(path)
        return _checked(path), DeviceStatus(
            Status.DEGRADED,
            "journal-replaced",
            f"{path} was corrupted ({reason}) and is kept as {aside.name}; commands before now are "
            "forgotten: check the SD card and the power supply",
        )
    except (OSError, sqlite3.Error) as error:
        return _in_memory(path, error)


def set_aside(path: Path) -> Path:
    """Rename the database, and its write-ahead log, to `<name>.corrupt-<unix time>`."""
    aside = path.with_name(f"{path.name}.corrupt-{int(time.time())}")
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        log = path.with_name(path.name + suffix)
        if log.exists():
            log.rename(aside.with_name(aside.name + suffix))
    return aside


def is_broken(error: sqlite3.Error) -> bool:
    """Whether the file itself is damaged, rather than the disk full or read-only."""
    return getattr(error, "sqlite_errorname", "").startswith(_BROKEN)


@contextmanager
def transaction(connection: sqlite3.Connection, *, durable: bool = True) -> Iterator[None]:
    """All or nothing; on disk at the end if `durable`, else whenever the kernel likes.

    Either survives a killed process; only a durable one survives a power cut. Raises JournalError.
    """
    try:
        # FULL is one fsync a commit, NORMAL none (in WAL mode).
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.Error as error:
        raise journal_error(error) from error


def journal_error(error: sqlite3.Error) -> JournalError:
    """The error for the reader who has to act."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_FULL":
        return JournalError("disk-full", f"the journal cannot be written: {error}; free some space")
    return JournalError(
        "journal-failed", f"the journal cannot be used: {error} ({name}); check the SD card"
    )


def _checked(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None)
    try:
        _configure(connection)
        with closing(connection.execute("PRAGMA quick_check(1)")) as cursor:
            (verdict,) = cursor.fetchone()
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if verdict != "ok" or version not in (0, SCHEMA_VERSION):
            error = sqlite3.DatabaseError(
                verdict if verdict != "ok" else f"unknown schema version {version}"
            )
            error.sqlite_errorname = "SQLITE_CORRUPT"
            raise error
        _create(connection, version)
    except BaseException:
        connection.close()
        raise
    return connection


def _configure(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA secure_delete = FAST")  # tokens of finished commands
    connection.execute("PRAGMA cache_size = -256")  # KiB: the daemon is small
    connection.execute("PRAGMA journal_size_limit = 1048576")


def _create(connection: sqlite3.Connection, version: int) -> None:
    if version == SCHEMA_VERSION:
        return
    connection.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;")


def _in_memory(path: Path, reason: Exception) -> tuple[sqlite3.Connection, DeviceStatus]:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    _create(connection, 0)
    return connection, DeviceStatus(
        Status.FAILED,
        "journal-not-kept",
        f"{path} cannot be written ({reason}): nothing survives a power cut now; check the SD card, "
        "its free space and the folder's owner",
    )
