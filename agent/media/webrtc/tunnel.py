"""A listener on loopback whose connections go on to one server by TLS, with its name and certificate verified.

Only this machine can reach it, and what it carries asks the server for a password itself (TURN).
"""

from __future__ import annotations

import contextlib
import select
import socket
import ssl
import threading

CONNECT_SECONDS = 10.0
CHUNK_BYTES = 65_536


class TlsTunnel:
    """Open from when it is made until `close`; `last_error` says why the last connection failed."""

    def __init__(self, host: str, port: int, near: str = "127.0.0.1") -> None:
        """`near`: the loopback address to listen at."""
        self._server = (host, port)
        self._listener = socket.create_server((near, 0))
        self.address: tuple[str, int] = self._listener.getsockname()
        self.last_error = ""
        threading.Thread(target=self._accept, name="tunnel", daemon=True).start()

    def close(self) -> None:
        """No more connections; those that are open go on until one of their ends closes."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(
                    target=self._carry, args=(near,), name="tunnel", daemon=True
                ).start()

    def _carry(self, near: socket.socket) -> None:
        with near:
            try:
                trust = ssl.create_default_context()
                plain = socket.create_connection(self._server, CONNECT_SECONDS)
                with trust.wrap_socket(plain, server_hostname=self._server[0]) as far:
                    self.last_error = ""
                    far.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    _copy(near, far)
            except OSError as error:
                self.last_error = str(getattr(error, "verify_message", "") or error)


def _copy(near: socket.socket, far: ssl.SSLSocket) -> None:
    """Both ways, in one thread: a TLS socket may not be read and written by two at a time.

    A side that takes nothing for CONNECT_SECONDS ends it, as the socket's own timeout says.
    """
    near.settimeout(CONNECT_SECONDS)
    far.settimeout(CONNECT_SECONDS)
    while True:
        ready = [far] if far.pending() else select.select([near, far], [], [])[0]
        for source, sink in ((near, far), (far, near)):
            if source in ready:
                data = source.recv(CHUNK_BYTES)
                if not data:
                    return
                sink.sendall(data)
