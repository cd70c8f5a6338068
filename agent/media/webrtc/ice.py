"""The servers that help media through a network: STUN and TURN, by UDP, TCP and TLS.

libnice speaks no TLS to a TURN server (its own kind of it is Google's and OC2007's), so one of `turns:` is
reached through `agent.media.webrtc.tunnel`, a listener on loopback that does.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from agent.core.model.figures import Transport
from agent.core.model.hosts import AllowedHosts
from agent.errors import MediaError
from agent.media.webrtc.names import Names
from agent.media.webrtc.tunnel import TlsTunnel

URL = re.compile(
    r"(?P<kind>stun|turns?):(?:(?P<user>[^@]+)@)?(?P<host>\[[^\]]+\]|[^:?\[\]]+)(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}

PATIENCE_SECONDS = 0.1
"""For relays, beside what this machine's own addresses take: a join on a clean network is not held up by a
server that is away."""

LOOKUP_SECONDS = 0.2
"""For the servers' names, which are looked up from the process's beginning on."""

LONG_PATIENCE_SECONDS = 4.0
"""Once media found no way without: an allocation takes four messages, and a phone's network is slow."""


class IceServer(NamedTuple):
    """One STUN or TURN server; `kind` is stun, turn or turns, `host` a name or an address."""

    kind: str
    host: str
    port: int
    transport: str = "udp"
    username: str = ""
    credential: str = ""


def parse(url: str, credential: str = "") -> IceServer:
    """Raises MediaError where it is no URL of RFC 7064 or 7065, with the user in front of the host."""
    found = URL.fullmatch(url)
    if found is None:
        raise MediaError("bad-ice-server", "media.ice_servers: expected stun:, turn: or turns:")
    kind = found["kind"]
    transport = "tcp" if kind == "turns" else found["transport"] or "udp"
    port = int(found["port"] or PORTS[kind])
    if not 0 < port < 65_536:
        raise MediaError("bad-ice-server", f"media.ice_servers: {port} is no port")
    host = found["host"].strip("[]")
    return IceServer(kind, host, port, transport, found["user"] or "", credential)


def permitted(
    named: list[IceServer], url: str, hosts: AllowedHosts, names: Names
) -> list[IceServer]:
    """Those of the servers that the media server at `url` names which the room may ask: all, if the settings name that
    host; a stranger's (`*`) only where they are as public as it must be itself: else its answer would have the room knock
    at any door inside. To be called in a thread that may wait.
    """
    if hosts.names(url):
        return named
    found = []
    for server in named:
        names.ask(server.host)
        addresses = names.addresses(server.host, LOOKUP_SECONDS)
        if addresses and all(hosts.permits_address(url, one) for one in addresses):
            found.append(server)
    return found


def servers(urls: list[str], credential_file: str | None) -> list[IceServer]:
    """Those of the settings. The file has one password for all, or a line for each server: `USER@HOST:PORT PASSWORD`, as
    in its URL. Raises MediaError where it cannot be read, or leaves a server without one.
    """
    found = [parse(url) for url in urls]
    lines = _lines(credential_file) if credential_file else []
    own = dict(line.split(None, 1) for line in lines if len(line.split(None, 1)) == 2)
    places = {name for server in found for name in _names_of(server)}
    by_server = {name: password for name, password in own.items() if name in places}
    rest = [line for line in lines if line.split(None, 1)[0] not in by_server]
    if len(rest) > 1:
        raise MediaError(
            "bad-ice-credential",
            f"media.ice_credential_file: {credential_file} has {len(rest)} lines that begin with no server of "
            "media.ice_servers; expected one password for all, or lines of USER@HOST:PORT PASSWORD",
        )
    common = rest[0] if rest else ""
    return [server._replace(credential=_password(server, by_server, common)) for server in found]


def _lines(file: str) -> list[str]:
    try:
        text = Path(file).read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        told = f"media.ice_credential_file: {file} cannot be read: {error}"
        raise MediaError("bad-ice-credential", told) from error
    return [line.strip() for line in text.splitlines() if line.strip()]


def _names_of(server: IceServer) -> list[str]:
    name = f"{server.username}@{_place(server.host)}"
    return [f"{name}:{server.port}", *([name] if server.port == PORTS[server.kind] else [])]


def _password(server: IceServer, by_server: dict[str, str], common: str) -> str:
    if server.kind == "stun":
        return ""
    return next((by_server[name] for name in _names_of(server) if name in by_server), common)


class IceServers:
    """Of one media process: those of the settings, and those that media servers name (`learn`), each of which counts
    for the sessions with that server. Sessions come and go; a way that was found is remembered. In any thread.
    """

    def __init__(self, found: list[IceServer], names: Names | None = None) -> None:
        self._servers = found
        self._learned: dict[str, list[IceServer]] = {}
        self.names = names or Names()
        self._lock = threading.Lock()
        self._tunnels: dict[IceServer, TlsTunnel] = {}
        self._needed = False
        self._ask_names()

    def relays(self, url: str) -> int:
        """How many TURN servers there are for sessions of this URL."""
        return sum(server.kind != "stun" for server in self._of(url))

    def patience_seconds(self, url: str) -> float:
        """How long an offer to this URL waits for what these servers say; 0 without any."""
        if not self._of(url):
            return 0.0
        return LONG_PATIENCE_SECONDS if self._needed else PATIENCE_SECONDS

    @property
    def needed(self) -> bool:
        """Whether media found no way without them."""
        return self._needed

    def no_way_without(self) -> None:
        """Media found no way: the next offers wait for the relays."""
        self._needed = True

    def learn(self, url: str, servers: list[IceServer]) -> list[IceServer]:
        """The server of this URL names these. Returns the TURN servers that were not known of it before: a
        password that is good for an hour makes another one.
        """
        before = self._of(url)
        self._learned[_origin(url)] = servers
        self._ask_names()
        return [server for server in servers if server not in before and server.kind != "stun"]

    def give_to(self, webrtc: Any, url: str) -> None:
        """Have this webrtcbin, whose session is at this URL, ask them, each at the address that its name leads to; one
        whose name leads nowhere yet is left out.
        """
        self._ask_names()
        until = time.monotonic() + LOOKUP_SECONDS
        for server in self._of(url):
            for address, port in self.places(server, max(0.0, until - time.monotonic())):
                place = f"{_place(address)}:{port}"
                if server.kind == "stun":
                    webrtc.set_property("stun-server", f"stun://{place}")
                else:
                    webrtc.emit("add-turn-server", _uri(server, place))

    def relay_at(self, address: str, transport: Transport) -> tuple[str, Transport]:
        """Which TURN server is reached at this address, by its name and port, and how it is reached really."""
        for server, tunnel in tuple(self._tunnels.items()):
            if tunnel.address[0] == address:
                return f"{_place(server.host)}:{server.port}", "tls"
        for server in self._all():
            fitting = (server.kind, server.transport) == ("turn", transport)
            if fitting and address in self.names.addresses(server.host):
                return f"{_place(server.host)}:{server.port}", transport
        return address, transport

    def places(self, server: IceServer, seconds: float) -> list[tuple[str, int]]:
        """Where it is reached, an address of each family; none where its name's are not known in so many seconds."""
        if server.kind == "turns":
            return [self._tunnel(server).address]
        return [(address, server.port) for address in self.names.addresses(server.host, seconds)]

    def _of(self, url: str) -> list[IceServer]:
        return [*self._servers, *self._learned.get(_origin(url), ())]

    def _all(self) -> list[IceServer]:
        return [*self._servers, *itertools.chain.from_iterable(tuple(self._learned.values()))]

    def _ask_names(self) -> None:
        for server in self._all():
            if server.kind != "turns":
                self.names.ask(server.host)

    def _tunnel(self, server: IceServer) -> TlsTunnel:
        """Each at an address of its own, by which it is known again."""
        with self._lock:
            if server not in self._tunnels:
                near = f"127.0.77.{len(self._tunnels) + 1}"
                self._tunnels[server] = TlsTunnel(server.host, server.port, near)
            return self._tunnels[server]


def _origin(url: str) -> str:
    return urlsplit(url).netloc.rpartition("@")[2]


def _uri(server: IceServer, place: str) -> str:
    user, password = quote(server.username, safe=""), quote(server.credential, safe="")
    return f"turn://{user}:{password}@{place}?transport={server.transport}"


MOST_SHOWN = 3


def places(answer: str) -> list[str]:
    """Where the server wants its media, of an answer's candidates: `UDP 8189 at 203.0.113.5`, each once."""
    found = re.findall(
        r"^a=candidate:\S+ 1 (udp|tcp) \d+ (\S{1,64}) (\d{1,5}) typ ", answer, flags=re.M | re.I
    )
    told = (f"{kind.upper()} {port} at {address}" for kind, address, port in found)
    return list(dict.fromkeys(told))


def no_way(answer: str, relays: int) -> str:
    """What was tried in vain after HTTP had been answered, in a sentence for whoever opens a firewall."""
    tried = places(answer)
    shown = ", ".join(tried[:MOST_SHOWN]) or "nothing: the answer names no address"
    more = f" and {len(tried) - MOST_SHOWN} more" if len(tried) > MOST_SHOWN else ""
    relay = (
        f"nor did {relays} relay(s) help" if relays else "a relay is not set up (media.ice_servers)"
    )
    return f"HTTP was answered, but there is no path for media: tried were {shown}{more}; {relay}"


def _place(host: str) -> str:
    return f"[{host}]" if ":" in host else host
