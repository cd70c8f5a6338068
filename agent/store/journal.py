"""What survives a crash and a power cut: commands, results, the meeting, and the hub's outbox.

`Journal` implements `agent.ports.Journal` on SQLite and is used from the loop's thread only; every
`record_...` and `remember...` is one commit with one fsync, those inside of `together` are one as a whole.
Rows that cannot be read, since another version of the agent wrote them, are left out.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import msgspec

from agent.core.audit import AUDITED
from agent.core.model.commands import MAX_SIGNED_SECONDS, SIGNED_BY, Ack, Command
from agent.core.model.documents import DeviceStatus, EventDocument
from agent.core.model.effects import SendAck
from agent.core.model.events import MeetingRecord
from agent.errors import JournalError
from agent.ports import Outgoing
from agent.store.codec import decode_command, decode_meeting, encode, readable
from agent.store.database import Database
from agent.store.outbox import Outbox
from agent.store.stamps import FACT as DOUBTED
from agent.store.stamps import Stamps
from agent.store.unkept import Unkept

log = logging.getLogger(__name__)

MAX_COMMANDS = 10_000
"""Finished commands kept, at the most."""

MAX_EVENTS = 10_000
"""Openings and closings of devices that are kept, at the most, and as many other events."""

MAX_AGE_SECONDS = 90 * 86_400
"""Age of finished commands and events, at the most."""

MAX_RECENT = 200
"""Commands that are also remembered in memory, for when the file can't be read or had to be replaced."""

PRUNE_EVERY = 100
"""Records between two looks for rows to delete; one look comes when the journal is opened."""


class Journal:
    """The journal in `folder`. `condition` tells how the file was found (see `Database`); `clock_is_set`,
    whether what `now` says is to be believed: nothing is too old by a clock that isn't set."""

    def __init__(
        self,
        folder: Path | str,
        now: Callable[[], float] = time.time,
        clock_is_set: Callable[[], bool] = lambda: True,
    ) -> None:
        self._now = now
        self._database = Database(Path(folder))
        self._stamps = Stamps(self._database, now, clock_is_set)
        self._outbox = Outbox(self._database)
        self._unkept = Unkept()
        self._recent = Unkept(MAX_RECENT)
        self._facts = self._read_facts()
        self._facts.pop(DOUBTED, None)  # of this file's rows alone
        self._facts_epoch = self._first_epoch = self._database.epoch
        self._until_prune = 0

    @property
    def condition(self) -> DeviceStatus:
        return self._database.condition

    def together(self) -> AbstractContextManager[None]:
        return self._database.transaction()

    def look_up(self, command_id: str) -> tuple[bool, Ack | None]:
        if unkept := self._unkept.find(command_id):
            return True, unkept.result
        recent = self._recent.find(command_id)
        try:
            row = self._row("SELECT result FROM command WHERE id = ?", command_id)
        except JournalError as error:
            if recent is None:
                raise
            log.error("the journal cannot be read: %s", error)
            return True, recent.result
        if row is None:
            was_replaced = self._database.epoch != self._first_epoch
            return (True, recent.result) if recent and was_replaced else (False, None)
        return True, readable(_decode_ack, row[0]) if row[0] is not None else None

    def record_command(self, command: Command) -> None:
        self._recent.received(command, self._now())
        with self._writing():
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
        self._recent.answered(ack, now)
        with self._writing():
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
            return self._outbox.put("ack", send)

    def not_recorded(self, *, command: Command | None = None, ack: Ack | None = None) -> None:
        if command is not None:
            self._unkept.received(command, self._now())
        if ack is not None:
            self._unkept.answered(ack, self._now())

    def record_late(self) -> None:
        late = [one for one in self._unkept if one.result is not None]
        if not late:
            return
        with self._writing():
            for one in late:
                self._database.execute(
                    "INSERT INTO command (id, type, sender, received_at, finished_at, result)"
                    " VALUES (?1, ?2, ?3, ?4, ?4, ?5) ON CONFLICT (id) DO UPDATE SET command = NULL,"
                    " finished_at = ?4, result = COALESCE(result, ?5)",
                    (one.id, one.type, one.sender, one.received_at, encode(one.result)),
                )
        self._unkept.forget(late)

    def record_event(self, event: EventDocument) -> Outgoing:
        with self._writing():
            self._prune()
            self._database.execute(
                "INSERT INTO event (at, type, document) VALUES (?, ?, ?)",
                (self._now(), event.type, encode(event)),
            )
            return self._outbox.put("event", event)

    def remember_meeting(self, record: MeetingRecord | None) -> None:
        with self._writing():
            self._set_fact("meeting", None if record is None else encode(record))

    def meeting(self) -> MeetingRecord | None:
        row = self._row("SELECT value FROM fact WHERE key = 'meeting'")
        return readable(decode_meeting, row[0]) if row else None

    def remember(self, key: str, value: str) -> None:
        """Keep a small fact. Nothing is written when it is known already."""
        if self.recall(key) != value:
            with self._writing():
                self._set_fact(f"own:{key}", value.encode())

    def recall(self, key: str) -> str | None:
        row = self._row("SELECT value FROM fact WHERE key = ?", f"own:{key}")
        return row[0].decode() if row else None

    def unfinished(self) -> list[Command]:
        """Recorded commands without a final ack, oldest first."""
        rows = self._database.execute(
            "SELECT command FROM command WHERE result IS NULL ORDER BY number"
        )
        commands = (readable(decode_command, row) for (row,) in rows)
        return [command for command in commands if command is not None]

    def events(self, kinds: Sequence[str], limit: int) -> list[EventDocument]:
        rows = self._database.execute(
            f"SELECT document FROM event WHERE type IN ({', '.join('?' * len(kinds))})"
            " ORDER BY number DESC LIMIT ?",
            (*kinds, limit),
        )
        events = (readable(_decode_event, row) for (row,) in rows)
        return [event for event in events if event is not None]

    def unsent(self, after: str = "", limit: int = 1_000_000) -> list[Outgoing]:
        return self._outbox.page(after, limit)

    def mark_sent(self, key: str) -> None:
        with self._database.transaction(durable=False):
            self._outbox.remove(key)

    def close(self) -> None:
        self._database.close()

    def _read_facts(self) -> dict[str, bytes]:
        try:
            return dict(self._database.execute("SELECT key, value FROM fact").fetchall())
        except JournalError:  # it shows only now that the file is broken, and is replaced
            return {}

    def _row(self, query: str, *parameters: str) -> tuple[bytes] | None:
        row: tuple[bytes] | None = self._database.execute(query, parameters).fetchone()
        return row

    def _set_fact(self, key: str, value: bytes | None) -> None:
        if value is None:
            self._database.execute("DELETE FROM fact WHERE key = ?", (key,))
            self._facts.pop(key, None)
            return
        self._database.execute(
            "INSERT INTO fact VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2",
            (key, value),
        )
        self._facts[key] = value

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """A transaction. A database that replaced a corrupted one is first told the facts again: whether the
        room muted itself must not be forgotten with the commands."""
        with self._database.transaction():
            if self._facts_epoch != self._database.epoch:
                for key, value in list(self._facts.items()):
                    self._set_fact(key, value)
                self._facts_epoch = self._database.epoch
            self._stamps.settle()
            yield

    def _prune(self) -> None:
        """Delete what is too old or too much, now and then.

        What is unfinished stays; so do signed commands as long as their signature may be good, else
        a flood of refused ones would make room for repeating them. By a clock that isn't to be believed nothing is old.
        """
        self._until_prune -= 1
        if self._until_prune >= 0:
            return
        self._until_prune = PRUNE_EVERY
        now = self._stamps.surely_now()
        horizon, signed = now - MAX_AGE_SECONDS, now - 2 * MAX_SIGNED_SECONDS
        self._database.execute(
            "DELETE FROM command WHERE result IS NOT NULL AND (received_at < ? OR number <="
            " (SELECT MAX(number) FROM command) - ?)"
            " AND NOT (COALESCE(sender, '') LIKE ? AND received_at > ?)",
            (horizon, MAX_COMMANDS, f"{SIGNED_BY}%", signed),
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
