"""What the service tells systemd: ready, status, still working, stopping.

The datagrams of sd_notify(3) are written here, because systemd-python's `notify` waits while systemd is
busy, and all threads with it (docs/decisions/015). Without systemd (no NOTIFY_SOCKET) nothing happens.
"""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Mapping

log = logging.getLogger(__name__)


class Notifier:
    """Speaks to the service manager; never raises, never blocks.

    `address` is NOTIFY_SOCKET's. `watchdog_interval_seconds` is how often `watchdog` must be called
    (half of what systemd allows, as sd_watchdog_enabled(3) advises), or None if nobody watches.
    """

    def __init__(self, address: str | None, watchdog_interval_seconds: float | None) -> None:
        self._address = address
        self._failing = False
        self.watchdog_interval_seconds = watchdog_interval_seconds

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Notifier:
        """As systemd set it up, or one that does nothing."""
        address = environment.get("NOTIFY_SOCKET")
        if not address:
            return cls(None, None)
        return cls(address, _watchdog_interval_seconds(environment))

    def ready(self) -> None:
        """Start-up is done."""
        self._notify("READY=1")

    def reloading(self) -> None:
        """SIGHUP was heard, and that is all that `systemctl reload` waits for (Type=notify-reload)."""
        self._notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")
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
        if self._address is None:
            return
        try:
            _send(self._address, message)
            self._failing = False
        except OSError as error:
            if not self._failing:  # once, not at every beat
                log.warning("cannot tell systemd %s: %s", message.partition("=")[0], error)
            self._failing = True


def _watchdog_interval_seconds(environment: Mapping[str, str]) -> float | None:
    """Half of WATCHDOG_USEC, if it is meant for this process (WATCHDOG_PID)."""
    microseconds = environment.get("WATCHDOG_USEC", "")
    if not microseconds.isdecimal() or int(microseconds) == 0:
        return None
    if environment.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    return int(microseconds) / 2 / 1_000_000


def _send(address: str, message: str) -> None:
    """One datagram of sd_notify(3); a leading @ is the abstract namespace."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
        notifications.setblocking(False)
        notifications.sendto(message.encode(), address.replace("@", "\0", 1))
