"""What survives a crash and a power cut: commands, results, the meeting, and the hub's outbox.

`Journal` implements `agent.ports.Journal` on SQLite and is used from the loop's thread only; every
`record_...` and `remember...` is one commit with one fsync, those inside of `together` are one as a whole.
Rows that cannot be read, since another version of the agent wrote them, are left out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import TypeVar

import msgspec

from agent.core.audit import AUDITED
from agent.core.model.commands import MAX_SIGNED_SECONDS, SIGNED_BY, Ack, Command
from agent.core.model.documents import DeviceStatus, EventDocument
from agent.core.model.effects import SendAck
from agent.core.model.events import MeetingRecord
from agent.ports import Outgoing
from agent.store.codec import decode_command, decode_meeting, decode_message, encode
from agent.store.database import Database

log = logging.getLogger(__name__)

T = TypeVar("T")

MAX_COMMANDS = 10_000
"""Finished commands kept, at the most."""

MAX_EVENTS = 10_000
"""Openings and closings of devices that are kept, at the most, and as many other events."""

MAX_UNSENT_EVENTS = 1_000
"""Events waiting for the hub, at the most; acks are never dropped."""

MAX_AGE_SECONDS = 90 * 86_400
"""Age of finished commands and events, at the most."""

PRUNE_EVERY = 100
"""Records between two looks for rows to delete; one look comes when the journal is opened."""


class Journal:
    """The journal in `folder`. `condition` tells how the file was found (see `Database`)."""

    def __init__(self, folder: Path | str, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._database = Database(Path(folder))
        self._until_prune = 0

    @property
    def condition(self) -> DeviceStatus:
        return self._database.condition

    def together(self) -> AbstractContextManager[None]:
        return self._database.transaction()

    def look_up(self, command_id: str) -> tuple[bool, Ack | None]:
        row = self._row("SELECT result FROM command WHERE id = ?", command_id)
        if row is None:
            return False, None
        return True, _readable(_decode_ack, row[0]) if row[0] is not None else None

    def record_command(self, command: Command) -> None:
        with self._database.transaction():
            self._prune()
            self._database.execute(
                "INSERT OR IGNORE INTO command (id, type, sender, received_at, command)"
                " VALUES (?, ?, ?, ?, ?)",
                (
                    command.id,
                    command.type,
                    command.sender or command.origin,
                    self._now(),
                    encode(command),
                ),
            )

    def record_result(self, send: SendAck) -> Outgoing:
        """As the port says. The first final ack of an id stays what `look_up` answers."""
        ack, now = send.ack, self._now()
        with self._database.transaction():
            self._prune()
            finished = self._database.execute(
                "UPDATE command SET command = NULL, finished_at = ?, result = ?"
                " WHERE id = ? AND result IS NULL",
                (now, encode(ack), ack.id),
            )
            if finished.rowcount == 0:  # refused without having been recorded, or a repeat
                self._database.execute(
                    "INSERT OR IGNORE INTO command (id, type, received_at, finished_at, result)"
                    " VALUES (?1, ?2, ?3, ?3, ?4)",
                    (ack.id, ack.type, now, encode(ack)),
                )
            return self._put_out("ack", send)

    def record_event(self, event: EventDocument) -> Outgoing:
        with self._database.transaction():
            self._prune()
            self._database.execute(
                "INSERT INTO event (at, type, document) VALUES (?, ?, ?)",
                (self._now(), event.type, encode(event)),
            )
            outgoing = self._put_out("event", event)
            self._drop_oldest_events(event)
            return outgoing

    def remember_meeting(self, record: MeetingRecord | None) -> None:
        with self._database.transaction():
            if record is None:
                self._database.execute("DELETE FROM fact WHERE key = 'meeting'")
            else:
                self._set_fact("meeting", encode(record))

    def meeting(self) -> MeetingRecord | None:
        row = self._row("SELECT value FROM fact WHERE key = 'meeting'")
        return _readable(decode_meeting, row[0]) if row else None

    def remember(self, key: str, value: str) -> None:
        """Keep a small fact. Nothing is written when it is known already."""
        if self.recall(key) != value:
            with self._database.transaction():
                self._set_fact(f"own:{key}", value.encode())

    def recall(self, key: str) -> str | None:
        row = self._row("SELECT value FROM fact WHERE key = ?", f"own:{key}")
        return row[0].decode() if row else None

    def unfinished(self) -> list[Command]:
        """Recorded commands without a final ack, oldest first."""
        rows = self._database.execute(
            "SELECT command FROM command WHERE result IS NULL ORDER BY number"
        )
        commands = (_readable(decode_command, row) for (row,) in rows)
        return [command for command in commands if command is not None]

    def events(self, kinds: Sequence[str], limit: int) -> list[EventDocument]:
        rows = self._database.execute(
            f"SELECT document FROM event WHERE type IN ({', '.join('?' * len(kinds))})"
            " ORDER BY number DESC LIMIT ?",
            (*kinds, limit),
        )
        events = (_readable(_decode_event, row) for (row,) in rows)
        return [event for event in events if event is not None]

    def unsent(self) -> list[Outgoing]:
        rows = self._database.execute("SELECT number, kind, message FROM outbox ORDER BY number")
        unsent = []
        for number, kind, row in rows:
            message = _readable(partial(decode_message, kind), row)
            if message is not None:
                unsent.append(Outgoing(message, str(number)))
        return unsent

    def mark_sent(self, key: str) -> None:
        with self._database.transaction(durable=False):
            self._database.execute("DELETE FROM outbox WHERE number = ?", (int(key),))

    def close(self) -> None:
        self._database.close()

    def _row(self, query: str, *parameters: str) -> tuple[bytes] | None:
        row: tuple[bytes] | None = self._database.execute(query, parameters).fetchone()
        return row

    def _set_fact(self, key: str, value: bytes) -> None:
        self._database.execute(
            "INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
            (key, value),
        )

    def _put_out(self, kind: str, message: SendAck | EventDocument) -> Outgoing:
        cursor = self._database.execute(
            "INSERT INTO outbox (kind, message) VALUES (?, ?)", (kind, encode(message))
        )
        return Outgoing(message, str(cursor.lastrowid))

    def _drop_oldest_events(self, newest: EventDocument) -> None:
        """Keep the outbox bounded; one `events-dropped` event counts all that were dropped."""
        (waiting,) = self._database.execute(
            "SELECT COUNT(*) FROM outbox WHERE kind = 'event'"
        ).fetchone()
        excess = waiting - MAX_UNSENT_EVENTS
        if excess <= 0:
            return
        self._database.execute(
            "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox WHERE kind = 'event'"
            " ORDER BY number LIMIT ?)",
            (excess,),
        )
        notice = self._row("SELECT message FROM outbox WHERE kind = 'dropped'")
        earlier = (
            msgspec.json.decode(notice[0], type=EventDocument).detail["count"] if notice else 0
        )
        self._database.execute("DELETE FROM outbox WHERE kind = 'dropped'")
        self._put_out("dropped", _dropped_notice(earlier + excess, newest))

    def _prune(self) -> None:
        """Delete what is too old or too much, now and then.

        What is unfinished stays; so do signed commands as long as their signature may be good, else
        a flood of refused ones would make room for repeating them.
        """
        self._until_prune -= 1
        if self._until_prune >= 0:
            return
        self._until_prune = PRUNE_EVERY
        horizon = self._now() - MAX_AGE_SECONDS
        self._database.execute(
            "DELETE FROM command WHERE result IS NOT NULL AND (received_at < ? OR number <="
            " (SELECT MAX(number) FROM command) - ?)"
            " AND NOT (COALESCE(sender, '') LIKE ? AND received_at > ?)",
            (horizon, MAX_COMMANDS, f"{SIGNED_BY}%", self._now() - 2 * MAX_SIGNED_SECONDS),
        )
        self._database.execute("DELETE FROM event WHERE at < ?", (horizon,))
        for which in (_IS_AUDITED, f"NOT {_IS_AUDITED}"):  # neither washes the other away
            self._database.execute(
                f"DELETE FROM event WHERE {which} AND number <= (SELECT number FROM event WHERE"
                f" {which} ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (MAX_EVENTS,),
            )


_IS_AUDITED = f"type IN ({', '.join(repr(kind) for kind in AUDITED)})"

_decode_ack = msgspec.json.Decoder(Ack).decode
_decode_event = msgspec.json.Decoder(EventDocument).decode


def _readable(decode: Callable[[bytes], T], row: bytes) -> T | None:
    """The row's content; None (and a line in the log) if another version of the agent wrote it."""
    try:
        return decode(row)
    except (msgspec.DecodeError, KeyError) as error:
        log.error("a row of the journal cannot be read and is left out: %s", error)
        return None


def _dropped_notice(count: int, newest: EventDocument) -> EventDocument:
    return EventDocument(
        type="events-dropped",
        room=newest.room,
        code="outbox-full",
        text=f"{count} older events were dropped: more than {MAX_UNSENT_EVENTS} waited for the hub",
        at=newest.at,
        detail={"count": count},
    )
