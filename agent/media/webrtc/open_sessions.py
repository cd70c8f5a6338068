"""The sessions that are open at servers, told to the daemon: it has them ended when this process cannot.

A server may keep a dead room's session for long, and lock the room out meanwhile (Janus: until it is
DELETEd). May be used from any thread.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable

from agent.core.model.commands import Endpoint, Source
from agent.core.model.media import OpenSession, SessionsReported
from agent.errors import MediaError
from agent.media.webrtc import signaling
from agent.media.webrtc.http import HttpClient

MOST_SESSIONS = 16
"""Of which a server may have lost the DELETE; the newest count."""

SWEEP_SECONDS = 2.5
"""For the sessions of a process before us; a server that is so slow is asked beside the meeting."""


class OpenSessions:
    """`send` puts a report on the line to the daemon."""

    def __init__(
        self, http: HttpClient, send: Callable[[SessionsReported], None] = lambda report: None
    ) -> None:
        self._http = http
        self._send = send
        self._open: dict[str, OpenSession] = {}
        self._lock = threading.Lock()

    def opened(self, url: str, endpoint: Endpoint | Source) -> None:
        with self._lock:
            self._open[url] = OpenSession(url, Endpoint(endpoint.url, endpoint.token))
            while len(self._open) > MOST_SESSIONS:
                del self._open[next(iter(self._open))]
            self._tell()

    def end(self, url: str, endpoint: Endpoint | Source) -> None:
        """DELETE it; one that could not be is left to the next process."""
        with contextlib.suppress(MediaError):
            signaling.end(self._http, url, endpoint)
            self._ended(url)

    def sweep(self, left: list[OpenSession]) -> None:
        """End what a process before us left, side by side; returns when that is done or takes too long."""
        threads = []
        for one in left:
            self._open[one.url] = one
            arguments = (one.url, one.endpoint)
            threads.append(threading.Thread(target=self.end, args=arguments, daemon=True))
            threads[-1].start()
        deadline = time.monotonic() + SWEEP_SECONDS
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _ended(self, url: str) -> None:
        with self._lock:
            if self._open.pop(url, None):
                self._tell()

    def _tell(self) -> None:
        self._send(SessionsReported(list(self._open.values())))
