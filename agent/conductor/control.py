"""The conductor's control socket: one request a line, one answer a line."""

from __future__ import annotations

import contextlib
import pwd
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

import msgspec

from agent.conductor.core.refused import Refused
from agent.conductor.requests import Answer, Asked, ErrorAnswer, decode
from agent.runtime.connection import Connection
from agent.runtime.line_server import LineServer


class ControlSocket:
    """Serves the socket at `path` from `start` to `close`; `post` puts into the loop's inbox."""

    def __init__(self, path: Path, post: Callable[[Asked], None]) -> None:
        self._post = post
        self._server = LineServer(path, self._take)

    def start(self) -> None:
        """Raises AgentError (`already-running`, `control-socket`)."""
        self._server.start()

    def close(self) -> None:
        self._server.close()

    def _take(self, client: Connection, line: bytes) -> None:
        try:
            request = decode(line)
        except Refused as refused:
            client.write_line(msgspec.json.encode(ErrorAnswer(refused.code, refused.text)))
            return
        client.unanswered += 1
        self._post(Asked(request, _name(client.sender), partial(self._reply, client)))

    def _reply(self, client: Connection, answer: Answer | ErrorAnswer) -> None:
        self._server.send(client, msgspec.json.encode(answer), answers=True)


def _name(sender: str) -> str:
    """The local user's name; `uid 1000` where it has none."""
    match = re.match(r"uid (\d+)", sender)
    if match is None:
        return sender
    with contextlib.suppress(KeyError):
        return pwd.getpwuid(int(match[1])).pw_name
    return match[0]
