"""By which of this machine's addresses and gateways a media server is reached, and whether that has changed.

A cable that is pulled, a phone that takes over, a new lease, another router: the old session's packets then leave
from an address that is no more, or by a network that does not pass them on, and neither end is told.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket
from typing import NamedTuple

from agent.media.webrtc.route import route_to

MOST_DESTINATIONS = 4
CANDIDATE = re.compile(r"^a=candidate:\S+ 1 \S{1,8} \d{1,10} (\S{1,64}) \d{1,5} typ ", re.M)


def is_own(address: str) -> bool:
    """Whether this machine still has the address."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.bind((address, 0))
        return True
    return False


def destinations(answer: str) -> list[str]:
    """Where an answer wants its media, each address once."""
    return [found for found in dict.fromkeys(CANDIDATE.findall(answer)) if _is_address(found)][
        :MOST_DESTINATIONS
    ]


class Change(NamedTuple):
    """`text` says it in words. `lost`: nothing of the session can get through any more as it does now; `source` is the
    address that leads there instead.
    """

    text: str
    lost: bool
    source: str


class Way:
    """Of one session, taken down when it has come up."""

    def __init__(self, answer: str) -> None:
        self._routes = {place: route_to(place) for place in destinations(answer)}
        self._cut: set[str] = set()

    def change(self) -> Change | None:
        """What is other than then; None while nothing is, or no network is there at all.

        Only where the old address is gone, and another leads there, is the session lost. While it is still ours,
        another gateway or interface, or a network that was away for a while, is a hint and no more: ICE may have
        found another way for its packets, and what still arrives needs none. An IPv6 address that is not preferred
        any more serves on (RFC 8981), and is not even that.
        """
        for place, before in self._routes.items():
            now = route_to(place)
            if now is None:
                self._cut.add(place)
            elif before and now.source != before.source and not is_own(before.source):
                told = f"{place} is reached from {now.source}, no more from {before.source}"
                return Change(f"the network has changed: {told}", lost=True, source=now.source)
            elif before and (now.gateway, now.interface) != (before.gateway, before.interface):
                told = f"{place} is reached by {now.gateway or 'its own network'}"
                return Change(f"the network has changed: {told}", lost=False, source=now.source)
            elif place in self._cut:
                return Change(
                    f"the network was away: {place} could not be reached",
                    lost=False,
                    source=now.source,
                )
        return None


def _is_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return not ipaddress.ip_address(text).is_link_local
    return False
