"""The socket under paho: what paho leaves undone on it, and hides of it.

Pairs with `agent.hub.connection`; nothing here knows of MQTT.
"""

from __future__ import annotations

import logging
import socket
import ssl
from typing import Any

from agent.hub import tls


class LastError(logging.Handler):
    """Keeps the socket error that paho logs and otherwise hides behind "connection lost"."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.last: OSError | None = None
        self.logger = logging.Logger("paho", logging.WARNING)
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        for argument in record.args or ():
            if isinstance(argument, OSError):
                self.last = argument


def prepare(_client: object, _userdata: object, sock: Any) -> None:
    """paho's `on_socket_open`. Raises ssl.SSLError if the hub refuses our certificate.

    Nagle and delayed ACKs make 88 ms of a round trip of 0.4 ms (failures row 31).
    """
    if isinstance(sock, ssl.SSLSocket):
        tls.await_verdict(sock)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def pending_bytes(sock: Any) -> int:
    """Bytes that TLS has decrypted already, of which `select` knows nothing."""
    return int(sock.pending()) if hasattr(sock, "pending") else 0
