"""The sessions that are open at servers, told to the daemon: it has them ended when this process cannot.

A server may keep a dead room's session for long, and lock the room out meanwhile (Janus: until it is
DELETEd). May be used from any thread.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from functools import partial

from agent.core.model.commands import Endpoint, Source
from agent.core.model.media import OpenSession, SessionsReported
from agent.errors import MediaError
from agent.media.webrtc import signaling
from agent.media.webrtc.http import HttpClient, Refused

MOST_SESSIONS = 16
"""Of which a server may have lost the DELETE; the newest count."""

SWEEP_SECONDS = 2.5
"""For the sessions of a process before us; a server that is so slow is asked beside the meeting."""


AGAIN_SECONDS = (5.0, 15.0, 40.0)
"""After a DELETE that did not come through, or came at a bad moment: the link may be full, the server restarting."""


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
        """DELETE it. Where that could not be, it is tried some times more beside the meeting, and then left to the next
        process.
        """
        if not self._delete(url, endpoint):
            again = partial(self._end_later, url, endpoint)
            threading.Thread(target=again, name="ending-again", daemon=True).start()

    def leave(self, url: str, endpoint: Endpoint | Source) -> None:
        """End one that was opened for us and is not wanted."""
        self.opened(url, endpoint)
        self.end(url, endpoint)

    def _end_later(self, url: str, endpoint: Endpoint | Source) -> None:
        for seconds in AGAIN_SECONDS:
            time.sleep(seconds)
            if self._delete(url, endpoint):
                return

    def _delete(self, url: str, endpoint: Endpoint | Source) -> bool:
        """Whether there is nothing more to be done here."""
        try:
            signaling.end(self._http, url, endpoint)
        except Refused as refused:
            return not refused.again
        except MediaError:
            return False
        self._ended(url)
        return True

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
