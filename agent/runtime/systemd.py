"""What the service tells systemd: ready, status, still working, stopping (sd_notify(3)).

Without systemd (no NOTIFY_SOCKET) all of it does nothing; without systemd-python the same words
go over a plain socket.
"""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Mapping

log = logging.getLogger(__name__)

Send = Callable[[str], object]


class Notifier:
    """Speaks to the service manager; never raises, never blocks for long.

    `watchdog_interval_seconds` is how often `watchdog` must be called (half of what systemd
    allows, as sd_watchdog_enabled(3) advises), or None if nobody watches.
    """

    def __init__(self, send: Send | None, watchdog_interval_seconds: float | None) -> None:
        self._send = send
        self.watchdog_interval_seconds = watchdog_interval_seconds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Notifier:
        """As systemd set it up, or one that does nothing."""
        address = environment.get("NOTIFY_SOCKET")
        if not address:
            return cls(None, None)
        return cls(_sender(address), _watchdog_interval_seconds(environment))

    def ready(self) -> None:
        """Start-up is done."""
        self._notify("READY=1")

    def status(self, text: str) -> None:
        """One line for `systemctl status`."""
        self._notify("STATUS=" + " ".join(text.split()))

    def watchdog(self) -> None:
        """The loop does its work. To be called from that loop and from nowhere else."""
        self._notify("WATCHDOG=1")

    def stopping(self) -> None:
        """The service is on its way down."""
        self._notify("STOPPING=1")

    def _notify(self, message: str) -> None:
        if self._send is None:
            return
        try:
            self._send(message)
        except OSError as error:
            log.warning("cannot tell systemd %s: %s", message.partition("=")[0], error)


def _watchdog_interval_seconds(environment: Mapping[str, str]) -> float | None:
    """Half of WATCHDOG_USEC, if it is meant for this process (WATCHDOG_PID)."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 2 / 1_000_000


def _sender(address: str) -> Send:
    try:
        from systemd.daemon import notify
    except ImportError:
        return lambda message: _send_by_socket(address, message)
    send: Send = notify
    return send


def _send_by_socket(address: str, message: str) -> None:
    """The datagram of sd_notify(3); a leading @ is the abstract namespace."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as datagram:
        datagram.settimeout(1)
        datagram.sendto(message.encode(), address.replace("@", "\0", 1))
