"""One server as the network shows it: its name, its TCP port, its certificate.

Pairs with the checks of the hub and of the media server, which speak to it afterwards.
"""

from __future__ import annotations

import socket
import ssl
import time
from datetime import UTC, datetime

from msgspec import Struct


class Reached(Struct, frozen=True):
    """The server took a connection; `certificate_ends` is None without TLS."""

    address: str
    connect_milliseconds: float
    certificate_ends: datetime | None = None

    def certificate_days(self, now: datetime) -> int | None:
        """Whole days that the server's certificate is still good for."""
        return (self.certificate_ends - now).days if self.certificate_ends else None


def reach(host: str, port: int, context: ssl.SSLContext | None, seconds: float) -> Reached:
    """Look the name up, connect, and with `context` shake hands. Raises OSError (also for TLS)."""
    began = time.monotonic()
    with socket.create_connection((host, port), seconds) as plain:
        took = (time.monotonic() - began) * 1000
        address = str(plain.getpeername()[0])
        if context is None:
            return Reached(address, took)
        with context.wrap_socket(plain, server_hostname=host) as secured:
            return Reached(address, took, _end(secured))


def _end(secured: ssl.SSLSocket) -> datetime | None:
    certificate = secured.getpeercert()
    if not certificate or "notAfter" not in certificate:
        return None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(certificate["notAfter"])), UTC)
