"""The servers that help media through a network: STUN and TURN, by UDP, TCP and TLS.

libnice speaks no TLS to a TURN server (its own kind of it is Google's and OC2007's), so one of `turns:` is
reached through `agent.media.webrtc.tunnel`, a listener on loopback that does.
"""

from __future__ import annotations

import re
import threading
import time
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from agent.core.model.figures import Transport
from agent.errors import MediaError
from agent.media.webrtc.names import Names
from agent.media.webrtc.tunnel import TlsTunnel

URL = re.compile(
    r"(?P<kind>stun|turns?):(?:(?P<user>[^@]+)@)?(?P<host>\[[^\]]+\]|[^:?\[\]]+)(?::(?P<port>\d{1,5}))?"
    r"(?:\?transport=(?P<transport>udp|tcp))?"
)
PORTS = {"stun": 3478, "turn": 3478, "turns": 5349}

PATIENCE_SECONDS = 0.2
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
    host = found["host"].strip("[]")
    return IceServer(kind, host, port, transport, found["user"] or "", credential)


def servers(urls: list[str], credential_file: str | None) -> list[IceServer]:
    """Those of the settings. Raises MediaError where the password cannot be read."""
    try:
        password = Path(credential_file).read_text("utf-8").strip() if credential_file else ""
    except (OSError, UnicodeDecodeError) as error:
        text = f"media.ice_credential_file: {credential_file} cannot be read: {error}"
        raise MediaError("bad-ice-credential", text) from error
    return [parse(url, password) for url in urls]


class IceServers:
    """Of one media process. Sessions come and go; a way that was found is remembered. In any thread."""

    def __init__(self, found: list[IceServer], names: Names | None = None) -> None:
        self._servers = found
        self._names = names or Names()
        self._lock = threading.Lock()
        self._tunnels: dict[IceServer, TlsTunnel] = {}
        self._needed = False
        self._ask_names()

    @property
    def relays(self) -> int:
        """How many TURN servers there are."""
        return sum(server.kind != "stun" for server in self._servers)

    @property
    def patience_seconds(self) -> float:
        """How long an offer waits for what these servers say; 0 without any."""
        if not self._servers:
            return 0.0
        return LONG_PATIENCE_SECONDS if self._needed else PATIENCE_SECONDS

    def no_way_without(self) -> None:
        """Media found no way: the next offers wait for the relays."""
        self._needed = True

    def give_to(self, webrtc: Any) -> None:
        """Have this webrtcbin ask them, each at the address that its name leads to; one whose name leads nowhere yet
        is left out.
        """
        self._ask_names()
        until = time.monotonic() + LOOKUP_SECONDS
        for server in self._servers:
            for place in self._places(server, max(0.0, until - time.monotonic())):
                if server.kind == "stun":
                    webrtc.set_property("stun-server", f"stun://{place}")
                else:
                    webrtc.emit("add-turn-server", _uri(server, place))

    def relay_at(self, address: str, transport: Transport) -> tuple[str, Transport]:
        """Which TURN server is reached at this address, by its name and port, and how it is reached really."""
        for server, tunnel in tuple(self._tunnels.items()):
            if tunnel.address[0] == address:
                return f"{_place(server.host)}:{server.port}", "tls"
        for server in self._servers:
            fitting = (server.kind, server.transport) == ("turn", transport)
            if fitting and address in self._names.addresses(server.host):
                return f"{_place(server.host)}:{server.port}", transport
        return address, transport

    def _ask_names(self) -> None:
        for server in self._servers:
            if server.kind != "turns":
                self._names.ask(server.host)

    def _places(self, server: IceServer, seconds: float) -> list[str]:
        if server.kind == "turns":
            host, port = self._tunnel(server).address
            return [f"{host}:{port}"]
        found = self._names.addresses(server.host, seconds)
        return [f"{_place(address)}:{server.port}" for address in found]

    def _tunnel(self, server: IceServer) -> TlsTunnel:
        """Each at an address of its own, by which it is known again."""
        with self._lock:
            if server not in self._tunnels:
                near = f"127.0.77.{len(self._tunnels) + 1}"
                self._tunnels[server] = TlsTunnel(server.host, server.port, near)
            return self._tunnels[server]


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
