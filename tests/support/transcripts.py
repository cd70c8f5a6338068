"""What the media servers of the world said, as it was on the wire (`tests/support/servers`).

Requests are `>` lines and a body, answers `<` lines and a body after `----`; tokens and names replaced.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

FOLDER = Path(__file__).parent / "servers"


class Exchange(NamedTuple):
    """One request and its answer; header names as they were written."""

    method: str
    path: str
    status: int
    sent: str
    headers: dict[str, str]
    body: str


def read(server: str) -> list[Exchange]:
    """All of one server's."""
    text = (FOLDER / f"{server}.txt").read_text()
    return [_exchange(block) for block in text.split("######## ")[1:]]


def _exchange(block: str) -> Exchange:
    first, rest = block.split("\n", 1)
    method, path, _, status = first.split()
    asked, answered = rest.split("----\n", 1)
    headers = dict(re.findall(r"^< ([\w-]+): (.*)$", answered, flags=re.M))
    return Exchange(method, path, int(status), _body(asked, ">"), headers, _body(answered, "<"))


def _body(text: str, mark: str) -> str:
    return "".join(f"{line}\r\n" for line in text.splitlines() if line and line[:1] != mark)
