"""STUN and TURN servers that a WHIP or WHEP server names: `Link: <turn:...>; rel="ice-server"` (RFC 9725, 4.6).

Pure, headers in and servers out. A credential of theirs is a secret like a token: it is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.errors import MediaError
from agent.media.webrtc.ice import IceServer, parse

MOST_SERVERS = 8
MOST_LETTERS = 1024
"""Of one value; a credential made for an hour has some hundred."""

PARAMETER = re.compile(r'\s*;\s*([\w!#$%&*+.^`|~-]+)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^\s;,"]*))?')
LINK = re.compile(rf"\s*<([^<>]*)>((?:{PARAMETER.pattern})*)\s*(?:,|$)")
"""RFC 8288, 3."""


def ice_servers(headers: list[str]) -> list[IceServer]:
    """Those that can be used, in their order; what is no such link, or is badly written, is passed over."""
    found: list[IceServer] = []
    for url, parameters in _links(headers):
        if "ice-server" not in parameters.get("rel", "").lower().split():
            continue
        if parameters.get("credential-type", "password") != "password":
            continue
        user, credential = parameters.get("username", ""), parameters.get("credential", "")
        if max(map(len, (url, user, credential))) > MOST_LETTERS:
            continue
        try:
            server = parse(url)
        except MediaError:
            continue
        if server.kind == "stun" or (user and credential):
            found.append(server._replace(username=user, credential=credential))
    return list(dict.fromkeys(found))[:MOST_SERVERS]


def _links(headers: list[str]) -> Iterator[tuple[str, dict[str, str]]]:
    for header in headers:
        position = 0
        while link := LINK.match(header, position):
            parameters: dict[str, str] = {}
            for name, value in PARAMETER.findall(link[2]):
                parameters.setdefault(name.lower(), _unquoted(value))
            yield link[1].strip(), parameters
            position = link.end()


def _unquoted(value: str) -> str:
    return re.sub(r"\\(.)", r"\1", value[1:-1]) if value.startswith('"') else value
