"""An HTTP server that answers what a test tells it to, and remembers what it was asked."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import NamedTuple

from tests.support.closing import Closing
from tests.support.loopback import ADDRESS


class Reply(NamedTuple):
    """One answer; the last one of a script is repeated."""

    status: int
    body: str = ""
    headers: Mapping[str, str] = MappingProxyType({})


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
        left = list(script)
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                token = self.headers.get("Authorization")
                asked.append(Asked(self.command, self.path, token, body))
                reply = left.pop(0) if len(left) > 1 else left[0]
                self.send_response(reply.status)
                for name, value in reply.headers.items():
                    self.send_header(name, value.encode().decode("latin-1"))
                said = reply.body.encode()
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_POST = do_PATCH = do_DELETE = answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer((ADDRESS, 0), Handler)
        self.url = f"http://{ADDRESS}:{self._server.server_port}"

    def __enter__(self) -> HttpStub:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
