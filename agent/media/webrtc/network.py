"""What all sessions of one media process have in common: who we are to servers, and how they are reached."""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import socket
import struct
from typing import NamedTuple
from urllib.parse import urlsplit

from agent.media.webrtc.certificate import Certificate
from agent.media.webrtc.http import HttpClient
from agent.media.webrtc.ice import IceServers
from agent.media.webrtc.open_sessions import OpenSessions

LOOPBACK = ("127.0.0.1", "::1")
SIOCGIFADDR = 0x8915
"""netdevice(7): an interface's IPv4 address."""


class Network(NamedTuple):
    """`local_address` is the only one that ICE may use; None for all of the machine's."""

    certificate: Certificate
    local_address: str | None
    http: HttpClient
    sessions: OpenSessions
    ice: IceServers

    def addresses_towards(self, url: str) -> list[str]:
        """The addresses that ICE may use for this server; none: those that it finds, loopback left out.

        A server on this machine is met on loopback too, without a setting.
        """
        if self.local_address:
            return [self.local_address]
        return [*LOOPBACK, *own_addresses()] if _is_loopback(url) else []


def own_addresses() -> list[str]:
    """The machine's IPv4 addresses, an interface each, loopback aside."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            with contextlib.suppress(OSError):
                said = fcntl.ioctl(asking, SIOCGIFADDR, struct.pack("256s", name.encode()[:15]))
                found.append(socket.inet_ntoa(said[20:24]))
    return [address for address in found if not ipaddress.ip_address(address).is_loopback]


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return host == "localhost"
