"""The journal read by others than the daemon: who asked for what, and what happened.

Read-only, while the daemon writes; that is what write-ahead logging allows.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from agent.core.audit import AUDITED
from agent.core.model.commands import Ack
from agent.core.model.documents import EventDocument
from agent.errors import JournalError

_COMMANDS = """
    SELECT received_at, 'command', type, COALESCE(sender, ''), result FROM command
    WHERE received_at >= ? ORDER BY number DESC LIMIT ?
"""
_EVENTS = """
    SELECT at, 'event', type, '', document FROM event
    WHERE at >= ? ORDER BY number DESC LIMIT ?
"""
_OPENINGS = f"""
    SELECT at, 'event', type, '', document FROM event
    WHERE at >= ? AND type IN ({", ".join(repr(kind) for kind in AUDITED)})
    ORDER BY number DESC LIMIT ?
"""


class Record(Struct, frozen=True):
    """A command or an event: when, `join` or `device-opened`, by whom (if that is known), and how.

    `state` is a command's final one, `device` what an event is about.
    """

    at: datetime
    what: str
    who: str
    text: str
    code: str = ""
    state: str = ""
    device: str = ""


def history(
    folder: Path | str, limit: int, *, since: datetime | None = None, openings_only: bool = False
) -> list[Record]:
    """The latest records, oldest first, none from before `since`; with `openings_only` of camera and
    microphone alone.

    Raises JournalError when there is no journal in `folder` or it may not be read.
    """
    path = Path(folder) / "journal.db"
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
            rows = _rows(connection, since.timestamp() if since else 0.0, limit, openings_only)
    except sqlite3.Error as error:
        text = f"{path} cannot be read: {error}; is the agent set up, and may this user read it?"
        raise JournalError("no-journal", text) from error
    return [_record(*row) for row in sorted(rows)[-limit:]]


def _rows(
    connection: sqlite3.Connection, since: float, limit: int, openings_only: bool
) -> list[tuple[float, str, str, str, bytes | None]]:
    queries = [_OPENINGS] if openings_only else [_COMMANDS, _EVENTS]
    return [row for query in queries for row in connection.execute(query, (since, limit))]


def _record(at: float, kind: str, what: str, who: str, document: bytes | None) -> Record:
    when = datetime.fromtimestamp(at, UTC)
    if document is None:
        return Record(when, what, who, "not answered yet")
    try:
        if kind == "event":
            event = msgspec.json.decode(document, type=EventDocument)
            who, device = event.detail.asked_by or "", event.detail.device or ""
            return Record(event.at, what, who, event.text, event.code, device=device)
        ack = msgspec.json.decode(document, type=Ack)
    except msgspec.DecodeError as error:
        return Record(when, what, who, f"written by another version of the agent ({error})")
    return Record(when, what, who, ack.text, ack.code, str(ack.state))
