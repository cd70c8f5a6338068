"""The local control socket: the hub's commands and a few queries, one JSON object a line.

Both go into the loop's inbox; the answers come back from there through `deliver` and
`QueryReceived.reply`.
"""

from __future__ import annotations

import itertools
import logging
import os
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec

from agent.core.model import bad_field
from agent.core.model.command_codec import CommandProblem, command_from, decode_object
from agent.core.model.commands import COMMANDS, FINAL_STATES, Ack, Code, Origin
from agent.core.model.events import (
    CommandReceived,
    DevicesBorrowed,
    DevicesReturned,
    Event,
    PictureAsked,
)
from agent.core.model.json_values import Fields
from agent.core.model.local_queries import LENDABLE, QUERIES, BorrowQuery, Query, SnapshotQuery
from agent.runtime.connection import Connection
from agent.runtime.line_server import LineServer, error_document

log = logging.getLogger(__name__)


class QueryReceived(NamedTuple):
    """Somebody local asks. `reply` takes the answer as one JSON document, from any thread, once."""

    query: Query
    reply: Callable[[bytes], None]
    before: DevicesBorrowed | PictureAsked | None = None
    """What the core has to know, and to have written down, before the answer is given."""


Post = Callable[[Event | QueryReceived], None]


class ControlServer:
    """Serves the socket at `path` from `start` to `close`."""

    def __init__(self, path: Path, post: Post) -> None:
        self._post = post
        self._server = LineServer(path, self._take, self._gone)
        self._loans: dict[Connection, str] = {}
        self._loan_numbers = itertools.count(1)
        self._waiting: dict[str, set[Connection]] = {}
        self._waiting_lock = threading.Lock()

    def start(self) -> None:
        """Bind and serve. Raises AgentError (`already-running`, `control-socket`)."""
        self._server.start()

    def deliver(self, ack: Ack) -> None:
        """Hand an ack to whoever asked here; nothing happens if nobody did. Never blocks."""
        final = ack.state in FINAL_STATES
        with self._waiting_lock:
            waiting = self._waiting.pop(ack.id, set()) if final else self._waiting.get(ack.id, ())
            clients = tuple(waiting)
        for client in clients:
            self._server.send(client, msgspec.json.encode(ack), answers=final)

    def close(self) -> None:
        """Send what can be sent at once, hang up, remove the socket; may be called twice."""
        self._server.close()

    def _take(self, client: Connection, line: bytes) -> None:
        """One line of a client: a command, a query, or something to refuse."""
        try:
            fields = decode_object(line)
            kind = fields.get("type")
            if not isinstance(kind, str):
                raise CommandProblem(Code.MISSING_FIELD, f"type: expected one of {_known_types()}")
            if kind in QUERIES:
                self._take_query(client, fields, kind)
            else:
                self._take_command(client, fields, kind)
        except CommandProblem as problem:
            if not client.refused:  # one line in the log for each client, however much it sends
                log.warning("control socket: refused %s: %s", client.sender, problem.text)
            client.refused += 1
            client.write_line(error_document(problem.code, problem.text, problem.id))

    def _take_query(self, client: Connection, fields: Fields, kind: str) -> None:
        try:
            query = msgspec.convert(fields, QUERIES[kind])
        except msgspec.ValidationError as error:
            text = bad_field.explain(error, fields, kind, QUERIES[kind])
            raise CommandProblem(Code.BAD_FIELD, text) from error
        client.unanswered += 1
        before = self._before(client, query)
        self._post(QueryReceived(query, partial(self._server.send, client, answers=True), before))

    def _before(self, client: Connection, query: Query) -> DevicesBorrowed | PictureAsked | None:
        match query:
            case BorrowQuery(devices):
                loan = self._loans.setdefault(client, f"loan-{next(self._loan_numbers)}")
                known = tuple(kind for kind in LENDABLE if kind in devices)
                return DevicesBorrowed(loan, known, client.sender)
            case SnapshotQuery(source):
                return PictureAsked(source, client.sender)
        return None

    def _gone(self, client: Connection) -> None:
        """Whatever it had borrowed is closed: its hold on the socket outlives its hold on a device."""
        if loan := self._loans.pop(client, None):
            self._post(DevicesReturned(loan))

    def _take_command(self, client: Connection, fields: Fields, kind: str) -> None:
        if kind not in COMMANDS:
            text = f"type: unknown {kind[:40]!r}; there are {_known_types()}"
            raise CommandProblem(Code.UNKNOWN_COMMAND, text)
        command, unknown = command_from(fields, kind, Origin.LOCAL, _new_id, sender=client.sender)
        with self._waiting_lock:
            clients = self._waiting.setdefault(command.id, set())
            client.unanswered += client not in clients
            clients.add(client)
        self._post(CommandReceived(command, unknown_fields=unknown))


def _known_types() -> str:
    return ", ".join((*COMMANDS, *QUERIES))


def _new_id() -> str:
    return f"local-{os.urandom(8).hex()}"
