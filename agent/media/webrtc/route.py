"""The kernel's route to an address, asked by rtnetlink(7): which source, which gateway, which interface.

Takes microseconds and sends nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import struct
from typing import NamedTuple

NETLINK_ROUTE, RTM_NEWROUTE, RTM_GETROUTE, NLM_F_REQUEST = 0, 24, 26, 1
RTA_DST, RTA_OIF, RTA_GATEWAY, RTA_PREFSRC = 1, 4, 5, 7
HEADER = struct.Struct("=IHHII")
"""netlink(7): length, type, flags, number, port."""

ROUTE = struct.Struct("=8BI")
"""rtnetlink(7), struct rtmsg: family, bits of the destination, and what is not asked for."""

ATTRIBUTE = struct.Struct("=HH")
ANSWER_SECONDS = 0.5
ANSWER_BYTES = 8192


class Route(NamedTuple):
    """`gateway` is empty where the destination is on the interface's own network; `interface` is its number."""

    source: str
    gateway: str
    interface: int


def route_to(destination: str) -> Route | None:
    """None where no network leads there, or the kernel does not say."""
    address = ipaddress.ip_address(destination)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    asked = ROUTE.pack(family, address.max_prefixlen, 0, 0, 0, 0, 0, 0, 0)
    asked += ATTRIBUTE.pack(ATTRIBUTE.size + len(address.packed), RTA_DST) + address.packed
    message = HEADER.pack(HEADER.size + len(asked), RTM_GETROUTE, NLM_F_REQUEST, 1, 0) + asked
    with (
        contextlib.suppress(OSError),
        socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE) as kernel,
    ):
        kernel.settimeout(ANSWER_SECONDS)
        kernel.send(message)
        return _read(kernel.recv(ANSWER_BYTES))
    return None


def _read(answer: bytes) -> Route | None:
    if len(answer) < HEADER.size + ROUTE.size:
        return None
    length, kind, *_ = HEADER.unpack_from(answer)
    if kind != RTM_NEWROUTE:
        return None
    found: dict[int, bytes] = {}
    at = HEADER.size + ROUTE.size
    while at + ATTRIBUTE.size <= min(length, len(answer)):
        size, name = ATTRIBUTE.unpack_from(answer, at)
        if size < ATTRIBUTE.size:
            break
        found[name] = answer[at + ATTRIBUTE.size : at + size]
        at += (size + 3) & ~3
    if RTA_PREFSRC not in found or RTA_OIF not in found:
        return None
    gateway = found.get(RTA_GATEWAY)
    return Route(
        str(ipaddress.ip_address(found[RTA_PREFSRC])),
        str(ipaddress.ip_address(gateway)) if gateway else "",
        int.from_bytes(found[RTA_OIF], "little" if struct.pack("=H", 1)[0] else "big"),
    )
