"""Somebody in the way of the signalling: passes everything on, and changes the answers as a test says."""

from __future__ import annotations

import random
import re
import threading
import urllib.error
import urllib.request
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import NamedTuple

from tests.support.closing import Closing
from tests.support.loopback import ADDRESS

Falsify = Callable[[str], str]
LINE = re.compile(r"a=fingerprint:(\S+) ([0-9A-Fa-f:]+)")


def with_fingerprints(*lines: str) -> Falsify:
    """Instead of the server's own; none leaves the attribute out."""

    def change(answer: str) -> str:
        told = "\r\n".join(f"a=fingerprint:{line}" for line in lines)
        return re.sub(r"a=fingerprint:[^\r\n]*", told or "a=nothing", answer)

    return change


def colons(data: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in data)


def one_bit(dice: random.Random) -> Falsify:
    """A fingerprint that differs from the server's in a single bit."""

    def flip(found: re.Match[str]) -> str:
        digest = bytearray.fromhex(found[2].replace(":", ""))
        digest[dice.randrange(len(digest))] ^= 1 << dice.randrange(8)
        return f"a=fingerprint:{found[1]} {colons(bytes(digest))}"

    return lambda answer: LINE.sub(flip, answer)


class Patched(NamedTuple):
    """One PATCH as it came in."""

    content_type: str
    if_match: str | None
    body: str


class FalsifyingProxy(Closing):
    """A context manager; `url` stands for the server's. `answers` is what it has said so far, `patches` what it was
    told by PATCH, which is answered by `patch_status` and not passed on; so is OPTIONS, with `options`.
    """

    def __init__(
        self, server: str, falsify: Falsify = lambda answer: answer, patch_status: int = 204
    ) -> None:
        self.falsify = falsify
        self.falsify_offer: Falsify = lambda offer: offer
        self.answers: list[str] = []
        self.patches: list[Patched] = []
        self.headers: tuple[tuple[str, str], ...] = ()
        """What answers to POST have beside the server's own."""
        self.options: tuple[tuple[str, str], ...] = ()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            def pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                body = proxy.falsify_offer(body.decode()).encode()
                request = urllib.request.Request(
                    server + self.path, data=body or None, method=self.command
                )
                if body:
                    request.add_header("Content-Type", self.headers["Content-Type"])
                try:
                    reply = urllib.request.urlopen(request, timeout=60)
                except urllib.error.HTTPError as error:
                    reply = error
                text = reply.read().decode()
                if self.command == "POST" and text.startswith("v=0"):
                    text = proxy.falsify(text)
                    proxy.answers.append(text)
                self.send_response(reply.status)
                for name in ("Content-Type", "Location"):
                    if name in reply.headers:
                        self.send_header(name, reply.headers[name])
                for name, value in proxy.headers if self.command == "POST" else ():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_PATCH(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                said = self.headers
                proxy.patches.append(Patched(said["Content-Type"], said["If-Match"], body))
                self.send_response(patch_status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_OPTIONS(self) -> None:
                self.send_response(204)
                for name, value in proxy.options:
                    self.send_header(name, value)
                self.end_headers()

            do_POST = do_DELETE = pass_on  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Tests are quiet."""

        self._server = ThreadingHTTPServer((ADDRESS, 0), Handler)
        self.url = f"http://{ADDRESS}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
