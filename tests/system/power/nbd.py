"""A disk offered to QEMU by the NBD protocol, on a Unix socket; a client that just goes cuts its power.

As specified in NetworkBlockDevice/nbd, doc/proto.md: fixed newstyle, simple replies, and the
commands READ, WRITE (with FUA), FLUSH and DISC.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import struct
import threading
from pathlib import Path

from tests.system.power.disk import Cut, Disk

GREETING = b"NBDMAGICIHAVEOPT" + struct.pack(">H", 0b11)
OPTION = struct.Struct(">8sII")
OPTION_REPLY = struct.Struct(">QIII")
OPTION_REPLY_MAGIC = 0x3E889045565A9
ABORT, INFO, GO = 2, 6, 7
ACKNOWLEDGED, INFORMATION, UNSUPPORTED = 1, 3, 1 << 31 | 1

REQUEST = struct.Struct(">IHHQQI")
REPLY = struct.Struct(">IIQ")
REPLY_MAGIC = 0x67446698
READ, WRITE, DISCONNECT, FLUSH = 0, 1, 2, 3
FORCE_UNIT_ACCESS = 1
HAS_FLAGS, CAN_FLUSH, CAN_FORCE = 1, 4, 8
INVALID = 22


class Ended(Exception):
    """The client has said that it goes."""


class Server:
    """Serves `disk` at `path`, to one client after the other, until `close()`.

    `cuts` gets what `Disk.cut` tells whenever a client went without a word.
    """

    def __init__(self, disk: Disk, path: Path) -> None:
        self.path = path
        self.cuts: queue.Queue[Cut] = queue.Queue()
        self._disk = disk
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen()
        threading.Thread(target=self._serve, name="disk", daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                with client, contextlib.suppress(Ended):
                    try:
                        self._negotiate(client)
                        while True:
                            self._answer(client)
                    except ConnectionError:
                        self.cuts.put(self._disk.cut())

    def _negotiate(self, client: socket.socket) -> None:
        """Until the client goes over to using the disk."""
        client.sendall(GREETING)
        _receive(client, 4)
        while True:
            _, option, length = OPTION.unpack(_receive(client, OPTION.size))
            _receive(client, length)
            if option in (INFO, GO):
                flags = HAS_FLAGS | CAN_FLUSH | CAN_FORCE
                export = struct.pack(">HQH", 0, self._disk.size_bytes, flags)
                _reply(client, option, INFORMATION, export)
                _reply(client, option, ACKNOWLEDGED)
                if option == GO:
                    return
            elif option == ABORT:
                raise Ended
            else:
                _reply(client, option, UNSUPPORTED)

    def _answer(self, client: socket.socket) -> None:
        _, flags, kind, handle, offset, length = REQUEST.unpack(_receive(client, REQUEST.size))
        error, data = 0, b""
        if kind == READ:
            data = self._disk.read(offset, length)
        elif kind == WRITE:
            written = _receive(client, length)
            self._disk.write(offset, written, durable=bool(flags & FORCE_UNIT_ACCESS))
        elif kind == FLUSH:
            self._disk.flush()
        elif kind == DISCONNECT:
            raise Ended
        else:
            error = INVALID
        client.sendall(REPLY.pack(REPLY_MAGIC, error, handle) + data)


def _receive(client: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = client.recv(length - len(data))
        if not part:
            raise ConnectionResetError("the client is gone")
        data += part
    return bytes(data)


def _reply(client: socket.socket, option: int, kind: int, data: bytes = b"") -> None:
    client.sendall(OPTION_REPLY.pack(OPTION_REPLY_MAGIC, option, kind, len(data)) + data)
