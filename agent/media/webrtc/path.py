"""By which path a session's media go, as ICE chose it: UDP, TCP, or a relay; and to which address.

libnice names the pair of candidates that it uses by their foundations, which stand in the offer and in the
answer; webrtcbin's own statistics come by a promise, whose callback PyGObject never frees.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from agent.core.model.figures import PathKind
from agent.media.gst import shared

CANDIDATE = re.compile(
    r"^a=candidate:(?P<foundation>\S{1,64}) 1 (?P<transport>udp|tcp) \d{1,10} (?P<address>\S{1,64}) "
    r"(?P<port>\d{1,5}) typ (?P<kind>[a-z]+)",
    re.M | re.I,
)


class Path(NamedTuple):
    """`address` is the other end's with its port; empty where ICE found it by itself."""

    kind: PathKind
    address: str


class PathWatch:
    """Of one session, from before its offer."""

    def __init__(self, webrtc: Any) -> None:
        self.offered = ""
        """Our own SDP, once it was sent."""
        self._pair: tuple[str, str] | None = None
        agent = shared(webrtc.get_property("ice-agent")).get_property("agent")
        agent.connect("new-selected-pair", self._on_pair)

    def _on_pair(self, _agent: Any, _stream: int, _component: int, local: str, remote: str) -> None:
        """In a thread of libnice's."""
        self._pair = local, remote

    def path(self, answered: str) -> Path | None:
        """With the other end's SDP; None before a pair was chosen, or while nothing is known of it."""
        if self._pair is None:
            return None
        return name_path(self.offered, answered, *self._pair)


def name_path(offered: str, answered: str, local: str, remote: str) -> Path | None:
    """The pair with these foundations; an end that is in no SDP was found on the way (RFC 8445, 7.2.5.3.1)."""
    ours, theirs = _candidate(offered, local), _candidate(answered, remote)
    known = ours or theirs
    if known is None:
        return None
    address = f"{_host(theirs['address'])}:{theirs['port']}" if theirs else ""
    if "relay" in (ours["kind"] if ours else "", theirs["kind"] if theirs else ""):
        return Path("relay", address)
    return Path("udp" if known["transport"].lower() == "udp" else "tcp", address)


def _candidate(sdp: str, foundation: str) -> re.Match[str] | None:
    found = (one for one in CANDIDATE.finditer(sdp) if one["foundation"] == foundation)
    return next(found, None)


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
