"""One client of the control socket: who it is, its lines in, its lines out, its open requests.

`agent.runtime.line_server` owns these, in one thread; nothing here blocks.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Iterator

from agent.core.model.command_codec import MAX_COMMAND_BYTES
from agent.ipc.lines import LineBuffer

MAX_UNANSWERED = 32
"""Open requests of one client, above which no more is read from it."""

MAX_UNSENT_BYTES = 1024 * 1024
"""A client that leaves so much unread is cut off; reading from it stops at a quarter of this."""

CHUNK_BYTES = 4096
PEER_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid (unix(7))
SO_PEERGROUPS = 59  # since Linux 4.13; Python has no name for it
GROUP = struct.Struct("I")
GROUPS_BYTES = 1024  # all that Python's getsockopt takes: 256 groups


class Connection:
    """A client's socket and what is under way on it."""

    def __init__(self, line: socket.socket) -> None:
        line.setblocking(False)
        self._line = line
        self._lines = LineBuffer(MAX_COMMAND_BYTES)
        self._unsent = b""
        self._at_end = False
        credentials = line.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, PEER_CREDENTIALS.size)
        self._pid, self._uid, self._gid = PEER_CREDENTIALS.unpack(credentials)
        self.unanswered = 0
        self.refused = 0

    def fileno(self) -> int:
        return self._line.fileno()

    @property
    def sender(self) -> str:
        """Who it is, for the journal and the log."""
        return f"uid {self._uid} pid {self._pid}"

    def permitted(self, group: int) -> bool:
        """Whether it is root, our own user, or in this group."""
        return self._uid in (0, os.getuid()) or group in (self._gid, *self._groups())

    def _groups(self) -> Iterator[int]:
        groups = self._line.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, GROUPS_BYTES)
        return (group for (group,) in GROUP.iter_unpack(groups))

    def wants_reading(self) -> bool:
        """Not while it leaves answers unread or has enough under way."""
        busy = self.unanswered >= MAX_UNANSWERED or len(self._unsent) > MAX_UNSENT_BYTES // 4
        return not (busy or self._at_end)

    def wants_writing(self) -> bool:
        return bool(self._unsent)

    def done(self) -> bool:
        """It says no more, and has got all its answers."""
        return self._at_end and not self.unanswered and not self._unsent

    def read_lines(self) -> Iterator[bytes]:
        """The lines that are complete now.

        Raises MessageError while iterating when a line is too long.
        """
        try:
            chunk = self._line.recv(CHUNK_BYTES)
        except BlockingIOError:
            return iter(())
        except OSError:
            chunk = b""
        if not chunk:
            self.read_no_more()
        return self._lines.feed(chunk)

    def read_no_more(self) -> None:
        """What it still says is not wanted; its answers it still gets."""
        self._at_end = True

    def write_line(self, document: bytes) -> None:
        """Queue one line; `flush` sends it."""
        self._unsent += document + b"\n"

    def flush(self) -> bool:
        """Send what the client takes now; False when it has gone or lets too much pile up."""
        if not self._unsent:
            return True
        try:
            sent = self._line.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            return False
        self._unsent = self._unsent[sent:]
        return len(self._unsent) <= MAX_UNSENT_BYTES

    def close(self) -> None:
        self._line.close()
