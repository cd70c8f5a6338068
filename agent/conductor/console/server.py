"""Serves the page in a thread of its own: uvicorn, with the headers that let nothing foreign in."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

import uvicorn

from agent.conductor.console.app import Page
from agent.errors import AgentError

START_SECONDS = 10.0
"""For uvicorn to listen; after that the port is not to be had."""

STOP_SECONDS = 3.0
"""For streams to end, and what is being answered: 1 s of uvicorn's own grace and some more."""

SILENT_SECONDS = 15.0
"""Longer than uvicorn keeps a connection for a next request (5 s)."""

MAX_CONNECTIONS = 400
"""Far fewer than the files that the service may have open (LimitNOFILE of its unit)."""

log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]


class ConsoleServer:
    """From `start` to `close`; `port` is the one it listens on. Pictures come from `play_url`'s origin."""

    def __init__(self, page: Page, play_url: str) -> None:
        self.port = 0
        settings = page.settings
        self._page = page
        self._started = threading.Event()
        media = urlsplit(play_url)
        self._csp = (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
            f"connect-src 'self' {media.scheme}://{media.netloc}; media-src 'self' blob:; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        config = uvicorn.Config(
            with_headers(page.application(), self._csp),
            host=settings.host,
            port=settings.port,
            ssl_certfile=settings.certificate,
            ssl_keyfile=settings.key,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,  # else whoever asks says himself from where
            lifespan="off",
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="console", daemon=True)

    def start(self) -> None:
        """Raises AgentError (`console`) if it can't listen there."""
        self._thread.start()
        if not self._started.wait(START_SECONDS) or not self._server.started:
            raise AgentError("console", "console: cannot listen there; see console.host and .port")
        log.info("the page is at port %s", self.port)

    def close(self) -> None:
        """Streams end, then the server."""
        self._server.should_exit = True
        self._thread.join(STOP_SECONDS)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except SystemExit:
            log.error("console: cannot listen; is the port taken?")
        finally:
            self._started.set()

    async def _serve(self) -> None:
        self._page.begin(asyncio.get_running_loop())
        serving = asyncio.ensure_future(self._server.serve())
        while not self._server.started and not serving.done():
            await asyncio.sleep(0.01)
        if self._server.started:
            self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self._started.set()
        silent = SilentConnections()
        while not self._server.should_exit and not serving.done():
            silent.cut(self._server.server_state.connections, time.monotonic())
            await asyncio.sleep(0.1)
        self._page.end()
        await serving


class SilentConnections:
    """Connections that ask nothing: uvicorn keeps them for ever, and each takes a file of ours, which the journal
    and the link to the hub need too."""

    def __init__(self) -> None:
        self._since: dict[Any, float] = {}

    def cut(self, connections: set[Any], now: float) -> None:
        """Those without a whole request for `SILENT_SECONDS`; of too many, whoever is silent at once. A stream
        that is being read asks for something."""
        waiting = [one for one in connections if one.cycle is None or one.cycle.response_complete]
        self._since = {one: self._since.get(one, now) for one in waiting}
        patience = SILENT_SECONDS if len(connections) <= MAX_CONNECTIONS else 0
        for one, since in self._since.items():
            if now - since > patience and one.transport is not None:
                one.transport.abort()


def with_headers(app: App, csp: str) -> App:
    """The application, each of whose answers says what a browser may do with it."""
    headers = [
        (b"content-security-policy", csp.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        (b"cross-origin-opener-policy", b"same-origin"),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"cache-control", b"no-store"),
    ]

    async def wrapped(scope: Message, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *headers]
            await send(message)

        await app(scope, receive, sending)

    return wrapped
