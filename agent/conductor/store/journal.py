"""The conductor's journal: entries in SQLite, appended and never changed.

Acts are written before they are done: one that can't be written is refused. What was only seen is
kept in memory while the disk is full or read-only, and written when it can be.
"""

from __future__ import annotations

import logging
import secrets
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from agent.conductor.core.model.acts import StartMeeting
from agent.conductor.core.model.entries import Acted, Adopted, Closed, Entry
from agent.errors import JournalError

SCHEMA = """
CREATE TABLE entry (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    number INTEGER NOT NULL,  -- the meeting's
    closed INTEGER NOT NULL,  -- whether with this entry the meeting is over everywhere
    document BLOB NOT NULL
);
CREATE INDEX entry_number ON entry (number);
CREATE INDEX entry_closed ON entry (number) WHERE closed;
CREATE TABLE audit (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    at TEXT NOT NULL,
    who TEXT NOT NULL,
    what TEXT NOT NULL,
    outcome TEXT NOT NULL
);
CREATE TABLE fact (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""

SCHEMA_VERSION = 1
BUSY_SECONDS = 2.0
"""Whoever else has the file locked is waited for so long."""

RECENT_MEETINGS = 200
"""An item of the agenda lasts a day at the most; no hub has more meetings in that time."""

MAX_UNWRITTEN = 50_000
"""Entries that wait for a disk which can be written; beyond that the oldest are lost, and it is said."""

log = logging.getLogger(__name__)


class Journal:
    """`folder`/conductor.db; `trouble` is why nothing can be written now, empty if it can.

    On a disk that can't be written what is there is read, and new entries are kept in memory. Raises
    JournalError if it is no database of ours.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "conductor.db"
        self.trouble = ""
        self._unwritten: deque[Entry] = deque(maxlen=MAX_UNWRITTEN)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._connection = _open(self._path)
        except (OSError, sqlite3.OperationalError) as error:
            self._connection = self._read_only(error)
        except sqlite3.Error as error:
            text = f"{self._path} cannot be used: {error}; move it away to begin anew"
            raise JournalError("journal-failed", text) from error
        self.instance = self._instance()

    def _read_only(self, reason: Exception) -> sqlite3.Connection:
        text = f"{self._path} cannot be written: {reason}; check the disk and the folder's owner"
        self.trouble = text
        log.error("%s", text)
        try:
            connection = _connect(f"file:{self._path}?mode=ro&immutable=1")
            connection.execute("SELECT id FROM entry LIMIT 1")
        except sqlite3.Error:
            connection = _connect(":memory:")
            connection.executescript(SCHEMA)
        return connection

    def write(self, entries: Iterable[Entry]) -> None:
        """On disk when it returns, with what had to wait before. Raises JournalError."""
        waiting = [*self._unwritten, *entries]
        if not waiting:
            return
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            self._connection.executemany(
                "INSERT INTO entry (number, closed, document) VALUES (?, ?, ?)",
                [
                    (one.what.number, isinstance(one.what, Closed), msgspec.json.encode(one))
                    for one in waiting
                ],
            )
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            text = f"{self._path} cannot be written: {error}; free some space, check the disk"
            if not self.trouble:
                log.error("%s", text)
            self.trouble = text
            raise JournalError("journal-failed", text) from error
        if self.trouble:
            log.warning("%s can be written again", self._path)
        self.trouble = ""
        self._unwritten.clear()

    def write_later(self, entries: Iterable[Entry]) -> None:
        """Keep what could not be written, for the next `write`."""
        self._unwritten.extend(entries)

    def open_entries(self) -> Iterator[Entry]:
        """The entries of the meetings that are not closed, oldest first."""
        query = """SELECT document FROM entry WHERE number NOT IN
                   (SELECT number FROM entry WHERE closed) ORDER BY id"""
        yield from self._entries(query, ())

    def last_number(self) -> int:
        """The number of the latest meeting; 0 if there was none."""
        (number,) = self._connection.execute("SELECT max(number) FROM entry").fetchone()
        return int(number or 0)

    def entries_of(self, number: int) -> list[Entry]:
        """One meeting's entries, what waits to be written included."""
        query = "SELECT document FROM entry WHERE number = ? ORDER BY id"
        waiting = [one for one in self._unwritten if one.what.number == number]
        return [*self._entries(query, (number,)), *waiting]

    def starts(self) -> list[Entry]:
        """The first entry of each meeting, the latest first, at most a thousand."""
        query = """SELECT document FROM entry WHERE id IN
                   (SELECT min(id) FROM entry GROUP BY number ORDER BY number DESC LIMIT 1000)
                   ORDER BY number DESC"""
        return list(self._entries(query, ()))

    def begun_for_agenda(self) -> list[str]:
        """The agenda's items that had a meeting, started for them or running already (`StartMeeting.item`)."""
        acts = [one.what.act for one in self.starts() if isinstance(one.what, Acted)]
        begun = [act.item for act in acts if isinstance(act, StartMeeting) and act.item]
        query = """SELECT document FROM entry
                   WHERE number > (SELECT max(number) FROM entry) - ? AND instr(document, ?)"""
        whole = self._entries(query, (RECENT_MEETINGS, b'"kind":"adopted"'))
        return begun + [one.what.item for one in whole if isinstance(one.what, Adopted)]

    def _entries(self, query: str, parameters: tuple[object, ...]) -> Iterator[Entry]:
        decode = msgspec.json.Decoder(Entry).decode
        try:
            for (document,) in self._connection.execute(query, parameters):
                yield decode(document)
        except sqlite3.Error as error:
            text = f"{self._path} cannot be read: {error}"
            raise JournalError("journal-failed", text) from error

    def audit(self, at: str, who: str, what: str, outcome: str) -> None:
        """Who did what on the page, allowed or not. A full disk only costs this line."""
        try:
            self._connection.execute(
                "INSERT INTO audit (at, who, what, outcome) VALUES (?, ?, ?, ?)",
                (at, who[:80], what[:300], outcome[:80]),
            )
        except sqlite3.Error as error:
            log.error("the audit trail cannot be written (%s): %s %s %s", error, who, what, outcome)

    def audit_lines(self, count: int) -> list[tuple[str, str, str, str]]:
        """The latest, oldest first."""
        query = "SELECT at, who, what, outcome FROM audit ORDER BY id DESC LIMIT ?"
        return list(self._connection.execute(query, (count,)))[::-1]

    def close(self) -> None:
        self._connection.close()

    def _instance(self) -> str:
        """What makes this journal's command ids its own: made once, with the file."""
        query = "SELECT value FROM fact WHERE key = 'instance'"
        row = self._connection.execute(query).fetchone()
        if row is not None:
            return str(row[0])
        made = f"c{secrets.token_hex(5)}"
        try:
            self._connection.execute("INSERT INTO fact VALUES ('instance', ?)", (made,))
        except sqlite3.Error as error:
            log.error("%s cannot be written: %s", self._path, error)
        return made


def _open(path: Path) -> sqlite3.Connection:
    path.touch(mode=0o600)
    connection = _connect(str(path))
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in (0, SCHEMA_VERSION):
            raise sqlite3.DatabaseError(f"unknown schema version {version}")
        if version == 0:
            connection.executescript(
                f"BEGIN; {SCHEMA} PRAGMA user_version = {SCHEMA_VERSION}; COMMIT;"
            )
        # A disk without room or a read-only one shows only when something is written.
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except BaseException:
        connection.close()
        raise
    return connection


def _connect(name: str) -> sqlite3.Connection:
    """Used by one thread; the console's only asks through the loop."""
    return sqlite3.connect(
        name, timeout=BUSY_SECONDS, isolation_level=None, uri=name.startswith("file:")
    )
