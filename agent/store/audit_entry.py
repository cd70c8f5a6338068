"""One event added to the journal by the technician's tool, where no daemon is there to write it.

Nothing of the file is repaired or replaced here: that is for the daemon, which owns it.
"""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from agent.core.model.documents import EventDocument
from agent.errors import JournalError
from agent.store.codec import encode
from agent.store.database import SCHEMA_VERSION
from agent.store.journal import Journal

WAIT_SECONDS = 2.0


def add_event(folder: Path | str, event: EventDocument) -> None:
    """Write `event` down for the audit and for the hub; it is on disk when this returns.

    Raises JournalError: `no-rights` if this user may not, else `no-journal`.
    """
    path = Path(folder) / "journal.db"
    try:
        if not path.exists():
            _begin(path)
        uri = f"{path.as_uri()}?mode=rw"
        with closing(sqlite3.connect(uri, uri=True, timeout=WAIT_SECONDS)) as connection:
            _insert(connection, event)
    except (OSError, sqlite3.Error) as error:
        code = "no-rights" if _forbidden(path, error) else "no-journal"
        text = f"{path} cannot be written: {error}; without the audit no device is opened"
        raise JournalError(code, text) from error


def _begin(path: Path) -> None:
    """A room whose agent never ran: the journal is made, and belongs to whom the folder belongs."""
    if not os.access(path.parent if path.parent.exists() else path.parent.parent, os.W_OK):
        raise PermissionError(f"{path.parent} may not be written")
    journal = Journal(path.parent)
    journal.close()
    owner = path.parent.stat()
    if os.geteuid() == 0:
        for file in path.parent.glob(f"{path.name}*"):
            os.chown(file, owner.st_uid, owner.st_gid)


def _insert(connection: sqlite3.Connection, event: EventDocument) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version != SCHEMA_VERSION:
        raise sqlite3.DatabaseError(f"unknown schema version {version}")
    with connection:
        connection.execute(
            "INSERT INTO event (at, type, document) VALUES (?, ?, ?)",
            (time.time(), event.type, encode(event)),
        )
        connection.execute(
            "INSERT INTO outbox (kind, message) VALUES ('event', ?)", (encode(event),)
        )


def _forbidden(path: Path, error: Exception) -> bool:
    return isinstance(error, PermissionError) or not os.access(path, os.W_OK)
