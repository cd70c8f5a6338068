"""The conductor as it is seen from outside: through its control socket, one request a connection."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec

from agent.conductor.core.model.acts import Act
from agent.conductor.core.refused import Refused
from agent.conductor.requests import Answer, ErrorAnswer, Question
from agent.errors import AgentError

ANSWER_SECONDS = 10.0
"""The conductor answers within a commit or two; a disk that takes longer is broken."""

MAX_ANSWER_BYTES = 64 * 1024 * 1024


class ConductorAway(AgentError):
    """Nobody answers there. Codes: `no-conductor`, `no-permission`, `bad-answer`."""


def ask(path: Path, request: Act | Question) -> Answer:
    """The answer. Raises ConductorAway, and Refused if the conductor said no."""
    line = _talk(path, msgspec.json.encode(request) + b"\n")
    try:
        answer = msgspec.json.decode(line, type=Answer | ErrorAnswer)
    except (msgspec.MsgspecError, ValueError) as error:
        raise ConductorAway("bad-answer", f"{path}: no answer of a conductor: {error}") from error
    if isinstance(answer, ErrorAnswer):
        raise Refused(answer.code, answer.text)
    return answer


def _talk(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(ANSWER_SECONDS)
        try:
            line.connect(str(path))
            line.sendall(request)
            with line.makefile("rb") as answers:
                return answers.readline(MAX_ANSWER_BYTES)
        except PermissionError as error:
            text = f"{path}: not permitted; use sudo, or join the socket's group"
            raise ConductorAway("no-permission", text) from error
        except OSError as error:
            text = (
                f"{path}: no conductor answers there ({error.strerror or error}); is it running? "
                "systemctl status diemcau-conductor"
            )
            raise ConductorAway("no-conductor", text) from error
