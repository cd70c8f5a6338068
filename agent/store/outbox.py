"""The journal's outbox: messages that the broker doesn't have yet, bounded and read page by page.

A key names a message in one database file: when a corrupted one was replaced, keys of before mean nothing.
"""

from __future__ import annotations

import logging
from functools import partial

import msgspec

from agent.core.model.documents import EventDetail, EventDocument
from agent.core.model.effects import SendAck
from agent.ports import Outgoing
from agent.store.codec import decode_message, encode, readable
from agent.store.database import Database

MAX_UNSENT = {"ack": 5_000, "event": 1_000}
"""Messages of a kind that wait for the hub, at the most. An outage of days with somebody pressing buttons
stays below; a broker that confirms nothing does not."""

SPARE_SHARE = 20
"""A twentieth is dropped at a time, so that an overflowing outbox is not counted at every message."""

log = logging.getLogger(__name__)


class Outbox:
    """The table `outbox` of this database; to be used inside of the journal's transactions."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._counts: dict[str, int] = {}
        self._counted_epoch = ""

    def put(self, kind: str, message: SendAck | EventDocument) -> Outgoing:
        """Add it; what is too much goes, oldest first, and an `events-dropped` event tells of it."""
        outgoing = self._insert(kind, message)
        if self._count(kind) > MAX_UNSENT[kind]:
            self._drop(kind, message)
        return outgoing

    def page(self, after: str, limit: int) -> list[Outgoing]:
        """The first messages behind the one with the key `after` (from the start, if there is no such key)."""
        number = self._number(after)
        found: list[Outgoing] = []
        while len(found) < limit:
            rows = self._database.execute(
                "SELECT number, kind, message FROM outbox WHERE number > ? ORDER BY number LIMIT ?",
                (number, limit - len(found)),
            ).fetchall()
            if not rows:
                break
            for number, kind, row in rows:
                message = readable(partial(decode_message, kind), row)
                if message is not None:
                    found.append(Outgoing(message, self._key(number)))
        return found

    def remove(self, key: str) -> None:
        """The broker has it."""
        if number := self._number(key):
            removed = self._database.execute(
                "DELETE FROM outbox WHERE number = ? RETURNING kind", (number,)
            ).fetchall()
            for (kind,) in removed:
                self._counts[kind] = self._counts.get(kind, 0) - 1

    def _insert(self, kind: str, message: SendAck | EventDocument) -> Outgoing:
        cursor = self._database.execute(
            "INSERT INTO outbox (kind, message) VALUES (?, ?)", (kind, encode(message))
        )
        assert cursor.lastrowid is not None
        return Outgoing(message, self._key(cursor.lastrowid))

    def _key(self, number: int) -> str:
        return f"{self._database.epoch}.{number}"

    def _number(self, key: str) -> int:
        """The row's number; 0 for a key of another database."""
        epoch, _, number = key.rpartition(".")
        return int(number) if epoch == self._database.epoch else 0

    def _count(self, kind: str) -> int:
        """Messages of this kind, or a few more: transactions that were rolled back count too."""
        if self._counted_epoch != self._database.epoch:
            self._recount()
        else:
            self._counts[kind] = self._counts.get(kind, 0) + 1
        return self._counts.get(kind, 0)

    def _recount(self) -> None:
        rows = self._database.execute("SELECT kind, COUNT(*) FROM outbox GROUP BY kind")
        self._counts = dict(rows.fetchall())
        self._counted_epoch = self._database.epoch

    def _drop(self, kind: str, newest: SendAck | EventDocument) -> None:
        self._recount()
        limit = MAX_UNSENT[kind]
        excess = self._counts.get(kind, 0) - limit
        if excess <= 0:
            return
        excess += limit // SPARE_SHARE
        self._database.execute(
            "DELETE FROM outbox WHERE number IN (SELECT number FROM outbox WHERE kind = ?"
            " ORDER BY number LIMIT ?)",
            (kind, excess),
        )
        self._counts[kind] -= excess
        self._tell_dropped(kind, excess, newest)

    def _tell_dropped(self, kind: str, excess: int, newest: SendAck | EventDocument) -> None:
        """One notice counts all that were dropped, and takes the place of the one before."""
        row = self._database.execute("SELECT message FROM outbox WHERE kind = 'dropped'").fetchone()
        before = readable(_decode_event, row[0]) if row else None
        counts = {"ack": 0, "event": 0}
        if before is not None:
            counts = {"ack": before.detail.acks or 0, "event": before.detail.count or 0}
        counts[kind] += excess
        self._database.execute("DELETE FROM outbox WHERE kind = 'dropped'")
        self._insert("dropped", _notice(counts["event"], counts["ack"], newest))


_decode_event = msgspec.json.Decoder(EventDocument).decode


def _notice(events: int, acks: int, newest: SendAck | EventDocument) -> EventDocument:
    source = newest.ack if isinstance(newest, SendAck) else newest
    return EventDocument(
        type="events-dropped",
        room=source.room,
        code="outbox-full",
        text=f"{events} older events and {acks} older answers were dropped: too many waited for the hub",
        at=source.at,
        detail=EventDetail(count=events, acks=acks),
    )
