"""The way that a session's media take, as ICE found it: direct or by a relay, UDP or TCP, which family.

webrtcbin is asked (`get-stats`) now and then, and answers in a thread of its own, so nobody waits for it. Candidates
are found by the ids of the selected pair: GStreamer 1.22 and 1.26 call the local one `remote-candidate` and the
other way round.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import Any, get_args

from agent.core.model.figures import CandidateType, Family, Path, Transport
from agent.media.gst import Gst, reply_of

FIELDS = (
    "selected-candidate-pair-id",
    "local-candidate-id",
    "remote-candidate-id",
    "candidate-type",
    "protocol",
    "address",
    "port",
    "priority",
    "url",
)

RELAYED_BY_TCP = 20
"""Type preference (RFC 8445, 5.1.2.1) that libnice gives a relay to which it speaks TCP, 30 by UDP (candidate.h);
GStreamer's own `relay-protocol` says none."""

NameRelay = Callable[[str, Transport], tuple[str, Transport]]
"""A TURN server's address and how it is reached -> its name, and how it is really reached (by TLS)."""

Statistics = Mapping[str, Mapping[str, Any]]


ASK_SECONDS, FIRST_SECONDS = 5.0, 0.5
"""A way changes rarely, and PyGObject never frees what an answer comes by: 200 bytes. The first one is wanted soon."""


class PathWatch:
    """Of one session's webrtcbin that is connected. In one thread."""

    def __init__(self, webrtc: Any, name_relay: NameRelay) -> None:
        self._webrtc = webrtc
        self._said = _Said(name_relay)
        self._asked_at: float | None = None

    def poll(self) -> Path | None:
        """As of the last answer; None before there is one. Asks anew when that is some seconds old."""
        now, pause = time.monotonic(), ASK_SECONDS if self._said.path else FIRST_SECONDS
        if self._asked_at is None or now - self._asked_at > pause:
            self._asked_at = now
            promise = Gst.Promise.new_with_change_func(self._said.take, None)
            self._webrtc.emit("get-stats", None, promise)
        return self._said.path


class _Said:
    """What an answer leaves, in webrtcbin's thread; it holds nothing of the session, which ends before it may."""

    def __init__(self, name_relay: NameRelay) -> None:
        self._name_relay = name_relay
        self.path: Path | None = None

    def take(self, promise: Any, _data: object) -> None:
        if reply := reply_of(promise):
            self.path = read(_structures(reply), self._name_relay) or self.path


def read(statistics: Statistics, name_relay: NameRelay) -> Path | None:
    """The selected pair of these statistics; None while there is none, or where they say too little."""
    chosen = {
        one["selected-candidate-pair-id"] for one in statistics.values() if one.get(FIELDS[0])
    }
    for pair_id in chosen:
        pair = statistics.get(pair_id, {})
        local = statistics.get(pair.get("local-candidate-id", ""))
        remote = statistics.get(pair.get("remote-candidate-id", ""))
        if local and remote:
            return _path(local, remote, name_relay)
    return None


def _path(local: Mapping[str, Any], remote: Mapping[str, Any], name_relay: NameRelay) -> Path:
    transport = _transport(local)
    relay = None
    if local.get("candidate-type") == "relay":
        relay, transport = name_relay(_host(str(local.get("url") or "")), transport)
    return Path(
        transport=transport,
        relay=relay,
        local=_type(local),
        remote=_type(remote),
        local_address=_place(local),
        remote_address=_place(remote),
        local_family=_family(local),
        remote_family=_family(remote),
    )


def _transport(local: Mapping[str, Any]) -> Transport:
    """How packets leave this machine: of a relay to the relay, which goes on by UDP."""
    if local.get("candidate-type") == "relay":
        return "tcp" if int(local.get("priority") or 0) >> 24 == RELAYED_BY_TCP else "udp"
    return "tcp" if str(local.get("protocol")).lower() == "tcp" else "udp"


def _type(candidate: Mapping[str, Any]) -> CandidateType | None:
    said = candidate.get("candidate-type")
    return next((one for one in get_args(CandidateType) if one == said), None)


def _host(url: str) -> str:
    """`192.0.2.1`, `turn:192.0.2.1:3478?transport=tcp` and `[2001:db8::1]:3478` alike."""
    place = url.partition("?")[0].removeprefix("turns:").removeprefix("turn:")
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place if place.count(":") != 1 else place.partition(":")[0]


def _family(candidate: Mapping[str, Any]) -> Family | None:
    try:
        version = ipaddress.ip_address(str(candidate.get("address")).partition("%")[0]).version
    except ValueError:
        return None
    return "ipv6" if version == 6 else "ipv4"


def _place(candidate: Mapping[str, Any]) -> str | None:
    address, port = candidate.get("address"), candidate.get("port")
    if not address:
        return None
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def _structures(reply: Any) -> dict[str, dict[str, Any]]:
    """What is read of webrtcbin's answer, while it is there: PyGObject's structures point into it."""
    found = {}
    for index in range(reply.n_fields()):
        name = reply.nth_field_name(index)
        if not name.startswith(("ice-candidate", "transport")):
            continue
        one = reply.get_value(name)
        found[name] = {key: one.get_value(key) for key in FIELDS if one.has_field(key)}
    return found
