"""The daemon as it is seen from outside: through its control socket, one JSON object a line.

Pairs with `agent.runtime.control`; every call opens a connection of its own and has a deadline, so
that a hung daemon gives an error and never a hung tool.
"""

from __future__ import annotations

import socket
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from agent.core.model.command_codec import CommandHead, extended
from agent.core.model.commands import FINAL_STATES, Ack
from agent.core.model.json_values import Fields, Json
from agent.core.model.local_queries import (
    AgendaAnswer,
    AgendaQuery,
    BorrowQuery,
    Query,
    SnapshotAnswer,
    SnapshotQuery,
    StatusQuery,
)
from agent.core.model.room_status import RoomStatus
from agent.errors import AgentError
from agent.ipc.patience import patience

T = TypeVar("T")

MAX_ANSWER_BYTES = 1024 * 1024
"""Longer than any answer; a longer one is not our daemon."""


LOOK_SECONDS = 0.2
"""Between two looks for a daemon that is starting."""

AWAY = ("daemon-gone", "no-daemon")


RESTART_IT = "sudo systemctl restart diemcau-agent"

ASKED_SECONDS = 1.5
"""For a question, which writes nothing. With the time in which the tool starts, people wait no more than 2 s to be told
what to type."""

FIRST_ANSWER_SECONDS = 6.0
"""A daemon says `accepted` at once, after one write to a slow SD card at the most; on a Pi 4."""


class ControlError(AgentError):
    """The daemon could not be asked.

    Codes: `no-daemon`, `no-permission`, `daemon-silent` (it accepts but doesn't answer),
    `daemon-gone` (it ended before it answered), `bad-answer`, or what the daemon itself said.
    """


class _Head(msgspec.Struct):
    """What tells an error from any other answer."""

    type: str = ""
    code: str = ""
    text: str = ""


class DaemonClient:
    """Asks the daemon behind one control socket."""

    def __init__(self, socket_path: Path, timeout_seconds: float = ASKED_SECONDS) -> None:
        self.socket_path = socket_path
        self.timeout_seconds = timeout_seconds

    def status(self) -> RoomStatus:
        """Raises ControlError."""
        return _decode(self.ask(StatusQuery()), RoomStatus)

    def agenda(self) -> AgendaAnswer:
        """The meetings to come by the room's agenda, and how it stands to them. Raises ControlError."""
        return _decode(self.ask(AgendaQuery()), AgendaAnswer)

    def snapshot(self, source: Literal["received", "sent"]) -> Path:
        """The PNG of the picture that is `sent` or `received`, in the agent's folder; the caller's to remove.

        Only in a meeting. Raises ControlError.
        """
        answer = _decode(self.ask(SnapshotQuery(source), 10.0), SnapshotAnswer)
        if answer.error:
            raise ControlError("no-snapshot", answer.error)
        return Path(answer.path)

    def borrow(self, devices: tuple[str, ...]) -> socket.socket:
        """Have devices lent: the lamp is lit and the audit written when this returns.

        They are lent until every copy of the connection returned is closed. Raises ControlError,
        `in-meeting` if a meeting needs them.
        """
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._connect(connection)
            connection.sendall(msgspec.json.encode(BorrowQuery(list(devices))) + b"\n")
            for _ in _answers(connection, time.monotonic() + self.timeout_seconds):
                connection.setblocking(False)
                return connection
            raise self._gone()
        except TimeoutError:
            connection.close()
            raise self._silent(self.timeout_seconds) from None
        except OSError as error:
            connection.close()
            raise self._gone() from error
        except BaseException:
            connection.close()
            raise

    def daemon_pid(self) -> int:
        """The process behind the socket, as the kernel knows it: even a hung one's.

        Raises ControlError.
        """
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            self._connect(connection)
            credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
            return int.from_bytes(credentials[:4], sys.byteorder)

    def ask(self, query: Query, deadline_seconds: float | None = None) -> bytes:
        """The one answer to a query, as JSON. Raises ControlError."""
        timeout = self.timeout_seconds if deadline_seconds is None else deadline_seconds
        for answer in self._talk(msgspec.json.encode(query), timeout):
            return answer
        raise self._gone()

    def command(self, kind: str, deadline_seconds: float, /, **fields: Json) -> Iterator[Ack]:
        """Send a command and yield its acks as they come, the final one last. Raises ControlError."""
        yield from self._acks(_request(kind, fields), deadline_seconds)

    def restart(self, scope: str, deadline_seconds: float) -> Iterator[Ack]:
        """As `command`; the final ack comes from the daemon that is started in this one's place.

        Raises ControlError, `daemon-gone` or `no-daemon` if none was within the deadline.
        """
        request = _request("restart", {"scope": scope})
        deadline = time.monotonic() + deadline_seconds
        heard = False
        while True:
            try:
                for ack in self._acks(request, max(1, round(deadline - time.monotonic()))):
                    heard = True
                    yield ack
                return
            except ControlError as error:
                if not heard or error.code not in AWAY or time.monotonic() > deadline:
                    raise
            time.sleep(LOOK_SECONDS)  # an id that comes again is answered, not obeyed again

    def _acks(self, request: bytes, deadline_seconds: float) -> Iterator[Ack]:
        first = min(patience(FIRST_ANSWER_SECONDS), deadline_seconds)
        for answer in self._talk(request, deadline_seconds, first):
            ack = _decode(answer, Ack)
            yield ack
            if ack.state in FINAL_STATES:
                return
        raise self._gone()

    def _talk(
        self, request: bytes, timeout_seconds: float, first_seconds: float | None = None
    ) -> Iterator[bytes]:
        """The answers to one request until the daemon closes or the time is up.

        The first one may take `first_seconds` at the most.
        """
        first = timeout_seconds if first_seconds is None else first_seconds
        heard = False
        now = time.monotonic()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            self._connect(connection)
            try:
                connection.sendall(request + b"\n")
                for answer in _answers(connection, now + timeout_seconds, now + first):
                    heard = True
                    yield answer
            except TimeoutError:
                raise self._silent(timeout_seconds if heard else first) from None
            except OSError as error:
                raise self._gone() from error

    def _connect(self, connection: socket.socket) -> None:
        connection.settimeout(self.timeout_seconds)
        try:
            connection.connect(str(self.socket_path))
        except PermissionError as error:
            raise ControlError(
                "no-permission",
                f"{self.socket_path}: not permitted; use sudo, or join the socket's group",
            ) from error
        except (TimeoutError, BlockingIOError):  # EAGAIN: others wait there already, as many as may
            raise self._silent(self.timeout_seconds) from None
        except OSError as error:
            raise ControlError(
                "no-daemon",
                f"{self.socket_path}: no daemon answers there ({error.strerror}); is it running? "
                "systemctl status diemcau-agent",
            ) from error

    def _gone(self) -> ControlError:
        return ControlError(
            "daemon-gone", f"{self.socket_path}: the daemon ended before it answered"
        )

    def _silent(self, seconds: float) -> ControlError:
        return ControlError(
            "daemon-silent",
            f"The agent runs but did not answer within {seconds:g} s; if it stays so: {RESTART_IT}",
        )


def _request(kind: str, fields: Fields) -> bytes:
    """A command of this kind as its sender wrote it; the daemon says what is wrong with it."""
    return extended(msgspec.json.encode(fields), CommandHead(kind, str(uuid.uuid4())))


def _answers(
    connection: socket.socket, deadline: float, first_deadline: float | None = None
) -> Iterator[bytes]:
    """The lines as they come. Raises TimeoutError at the deadline, ControlError for an error."""
    rest, until = b"", deadline if first_deadline is None else first_deadline
    while True:
        remaining = until - time.monotonic()
        if remaining <= 0:
            raise TimeoutError
        connection.settimeout(remaining)
        chunk = connection.recv(65536)
        if not chunk:
            return
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_ANSWER_BYTES:
            raise ControlError("bad-answer", "the daemon's answer does not end")
        for line in filter(None, lines):
            head = _decode(line, _Head)
            if head.type == "error":
                raise ControlError(head.code, head.text)
            until = deadline
            yield line


def _decode(answer: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(answer, type=kind)
    except msgspec.ValidationError as error:
        raise ControlError("bad-answer", f"the daemon's answer can't be read: {error}") from error
    except msgspec.MsgspecError as error:
        raise ControlError("bad-answer", f"the daemon answered no JSON: {error}") from error
