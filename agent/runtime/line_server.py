"""A Unix socket that speaks in lines, served by one thread for a few local clients.

`agent.runtime.control` says what the lines mean; here is who may connect, and that no client can
hold up another, the loop, or grow our memory.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import stat
import threading
import time
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from agent.core.model.commands import Code
from agent.core.model.local_queries import ErrorAnswer
from agent.errors import AgentError, MessageError
from agent.runtime.connection import Connection

log = logging.getLogger(__name__)

MAX_CLIENTS = 16
SOCKET_MODE = 0o660
CLOSE_SECONDS = 2.0
ACCEPT_PAUSE_SECONDS = 0.5
"""After a failed accept (no files left), so that the thread doesn't spin."""

OnLine = Callable[[Connection, bytes], None]
OnGone = Callable[[Connection], None]


class LineServer:
    """Serves the socket at `path` from `start` to `close`.

    `on_line` and `on_gone` (a client hung up) are called in its thread.
    """

    def __init__(self, path: Path, on_line: OnLine, on_gone: OnGone = lambda client: None) -> None:
        self._path = path
        self._on_line = on_line
        self._on_gone = on_gone
        self._clients: set[Connection] = set()
        self._outgoing: deque[tuple[Connection, bytes, bool]] = deque()
        self._selector = selectors.DefaultSelector()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._wake_open = threading.Lock()
        self._closing = False
        self._closed = False
        self._thread: threading.Thread | None = None

    # --- from any thread ---

    def start(self) -> None:
        """Bind and serve. Raises AgentError (`already-running`, `control-socket`)."""
        try:
            listener = _listen(self._path)
            group = self._path.stat().st_gid
        except OSError as error:
            text = f"control.socket {self._path}: cannot listen there: {error}"
            raise AgentError("control-socket", text) from error
        self._thread = threading.Thread(
            target=self._serve, args=[listener, group], name="control", daemon=True
        )
        self._thread.start()

    def send(self, client: Connection, document: bytes, *, answers: bool) -> None:
        """Write a line to a client, if it is still there; `answers` closes one of its requests."""
        self._outgoing.append((client, document, answers))
        self._rouse()

    def close(self) -> None:
        """Send what can be sent at once, hang up, remove the socket; may be called twice."""
        self._closing = True
        self._rouse()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
        else:
            self._close_files()

    def _rouse(self) -> None:
        with self._wake_open:
            if not self._closed:
                os.eventfd_write(self._wake, 1)

    # --- in the serving thread ---

    def _serve(self, listener: socket.socket, group: int) -> None:
        self._selector.register(self._wake, selectors.EVENT_READ, self._send_outgoing)
        self._selector.register(
            listener, selectors.EVENT_READ, partial(self._accept, listener, group)
        )
        with listener:
            while not self._closing:
                for key, _ in self._selector.select():
                    key.data()
            self._send_outgoing()
        self._path.unlink(missing_ok=True)
        self._close_files()

    def _close_files(self) -> None:
        with self._wake_open:
            if self._closed:
                return
            self._closed = True
            os.close(self._wake)
        for client in self._clients:
            client.close()
        self._selector.close()

    def _send_outgoing(self) -> None:
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._wake)
        while self._outgoing:
            client, document, answers = self._outgoing.popleft()
            if client in self._clients:
                client.unanswered -= answers
                client.write_line(document)
                self._go_on(client)

    def _accept(self, listener: socket.socket, group: int) -> None:
        try:
            line, _ = listener.accept()
        except OSError as error:
            log.error("control socket: cannot accept a client: %s", error)
            time.sleep(ACCEPT_PAUSE_SECONDS)
            return
        client = Connection(line)
        self._clients.add(client)
        self._guarded(client, partial(self._welcome, client, group))

    def _welcome(self, client: Connection, group: int) -> None:
        if not client.permitted(group):
            text = f"{client.sender} is neither root nor in the group of {self._path}"
            self._turn_away(client, Code.NOT_PERMITTED, text)
        elif len(self._clients) > MAX_CLIENTS:
            text = f"{MAX_CLIENTS} clients are connected already; close one of them"
            self._turn_away(client, Code.BUSY, text)

    def _turn_away(self, client: Connection, code: str, text: str) -> None:
        log.warning("control socket: turned away %s: %s", client.sender, text)
        client.write_line(error_document(code, text))
        client.read_no_more()

    def _read(self, client: Connection) -> None:
        try:
            for line in client.read_lines():
                self._on_line(client, line)
        except MessageError as error:
            self._turn_away(client, error.code, error.text)

    def _attend(self, client: Connection) -> None:
        """It said something, or can take more."""
        if client.wants_reading():
            self._guarded(client, partial(self._read, client))
        else:
            self._go_on(client)

    def _guarded(self, client: Connection, action: Callable[[], None]) -> None:
        """A mistake of ours in serving one client costs that client, not the socket."""
        try:
            action()
        except Exception:
            log.exception("control socket: dropped %s", client.sender)
            self._drop(client)
        self._go_on(client)

    def _go_on(self, client: Connection) -> None:
        """Send what there is to send, then wait for what the client is good for next."""
        if client not in self._clients:
            return
        if not client.flush() or client.done():
            self._drop(client)
            return
        events = selectors.EVENT_READ if client.wants_reading() else 0
        events |= selectors.EVENT_WRITE if client.wants_writing() else 0
        self._forget(client)
        if events:
            self._selector.register(client, events, partial(self._attend, client))

    def _drop(self, client: Connection) -> None:
        self._forget(client)
        if client in self._clients:
            self._clients.discard(client)
            self._on_gone(client)
        client.close()

    def _forget(self, client: Connection) -> None:
        with contextlib.suppress(KeyError):
            self._selector.unregister(client)


def error_document(code: str, text: str, id: str | None = None) -> bytes:
    """The answer to a line that is no usable request."""
    return msgspec.json.encode(ErrorAnswer(code, text, id))


def _listen(path: Path) -> socket.socket:
    """Bind without a moment in which others could connect: the mode is set before listening."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(SOCKET_MODE)
        listener.listen(MAX_CLIENTS)
        listener.setblocking(False)
    except OSError:
        listener.close()
        raise
    return listener


def _remove_stale(path: Path) -> None:
    """Remove the socket of a daemon that was killed. Raises AgentError if one lives there."""
    if not path.exists():
        return
    if not stat.S_ISSOCK(path.stat().st_mode):
        raise FileExistsError(f"{path} is there and is no socket; remove it")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink()
            return
    text = f"control.socket {path}: a daemon serves it already; stop that one first"
    raise AgentError("already-running", text)
