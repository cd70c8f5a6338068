"""Addresses of STUN and TURN servers: looked up beside everything else, and never waited for for long.

libnice takes addresses only, and GStreamer 1.22 gives it a TURN server's name as it stands, to no end.
"""

from __future__ import annotations

import ipaddress
import threading
import time

from agent.media.webrtc.dialing import Resolve, resolve

FRESH_SECONDS = 30.0
"""What is older is looked up again: a name may lead elsewhere by the next session."""


class Names:
    """What host names led to. May be used from any thread."""

    def __init__(self, resolve: Resolve = resolve, fresh_seconds: float = FRESH_SECONDS) -> None:
        self._resolve = resolve
        self._fresh_seconds = fresh_seconds
        self._known: dict[str, tuple[str, ...]] = {}
        self._asked: dict[str, tuple[float, threading.Event]] = {}
        self._lock = threading.Lock()

    def ask(self, host: str) -> None:
        """Look this name up, unless that was done just now, or it is under way. Returns at once."""
        if _is_address(host):
            return
        with self._lock:
            at, answered = self._asked.get(host, (0.0, None))
            if answered and (not answered.is_set() or time.monotonic() - at < self._fresh_seconds):
                return
            self._asked[host] = (time.monotonic(), threading.Event())
        threading.Thread(target=self._look_up, args=(host,), name="lookup", daemon=True).start()

    def addresses(self, host: str, seconds: float = 0.0) -> tuple[str, ...]:
        """Where it leads, one address of each family; none where that is not known in so many seconds."""
        if _is_address(host):
            return (host,)
        _, answered = self._asked.get(host, (0.0, None))
        if answered and host not in self._known:
            answered.wait(seconds)
        return self._known.get(host, ())

    def _look_up(self, host: str) -> None:
        found: dict[int, str] = {}
        try:
            for family, address in self._resolve(host, 0):
                found.setdefault(family, address[0])
        except OSError:
            pass  # what was known before still counts
        else:
            self._known[host] = tuple(found.values())
        self._asked[host][1].set()


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
