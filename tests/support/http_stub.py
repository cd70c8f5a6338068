"""An HTTP server that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote, urljoin, urlsplit

from tests.support.closing import Closing
from tests.support.loopback import ADDRESS

SAFE = "/%:@!$&'()*+,;=~-._"
"""What a path keeps as it is (RFC 3986)."""

MAKE_SESSIONS = (200, 201, 202, 406)
"""Statuses that come with a session where they have a Location."""


POLL_SECONDS = 0.02
"""For which its end waits."""


class Reply(NamedTuple):
    """One answer; the last one of a script is repeated."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = MappingProxyType({})
    held: threading.Event | None = None
    """Not before this is set."""
    broken: bool = False
    """The connection ends after the headers."""


class Asked(NamedTuple):
    """One request as it came in."""

    method: str
    path: str
    token: str | None
    body: str = ""


class HttpStub(Closing):
    """A context manager with `url`."""

    def __init__(self, *script: Reply) -> None:
        self.asked: list[Asked] = []
        self._sessions: list[str] = []
        left = list(script)
        asked, made = self.asked, self._made

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                token = self.headers.get("Authorization")
                asked.append(Asked(self.command, self.path, token, body))
                reply = left.pop(0) if len(left) > 1 else left[0]
                if reply.held:
                    reply.held.wait(60)
                if self.command == "POST" and reply.status in MAKE_SESSIONS:
                    made(self.path, reply.headers.get("Location", ""))
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value.encode().decode("latin-1"))
                said = reply.body.encode()
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(b"" if reply.broken else said)
                self.close_connection = True

            do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer((ADDRESS, 0), Handler)
        self.url = f"http://{ADDRESS}:{self._server.server_port}"

    def _made(self, path: str, location: str) -> None:
        """A session, if its address is here, and is one: what has a backslash is none, and nobody is to guess."""
        with contextlib.suppress(ValueError):
            parts = urlsplit(urljoin(self.url + path, location)) if location else None
            if parts and parts.netloc == urlsplit(self.url).netloc and "\\" not in location:
                query = f"?{parts.query}" if parts.query else ""
                self._sessions.append(quote(parts.path or "/", safe=SAFE) + query)

    @property
    def left_behind(self) -> list[str]:
        """The addresses of sessions that nobody has asked to DELETE."""
        ended = [one.path for one in self.asked if one.method == "DELETE"]
        return sorted(set(self._sessions) - set(ended))

    def __enter__(self) -> HttpStub:
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(POLL_SECONDS,), daemon=True).start()
        return self

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
