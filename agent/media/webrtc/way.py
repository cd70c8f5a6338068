"""From which of this machine's addresses a media server is reached, and whether that has changed.

A cable that is pulled, a phone that takes over, a new lease: the old session's packets then leave from an
address that is no more, or by a network that does not pass them on, and neither end is told. The kernel is
asked for the route of a few destinations, which takes microseconds and sends nothing.
"""

from __future__ import annotations

import contextlib
import ipaddress
import re
import socket

MOST_DESTINATIONS = 4
CANDIDATE = re.compile(r"^a=candidate:\S+ 1 \S{1,8} \d{1,10} (\S{1,64}) \d{1,5} typ ", re.M)
ANY_PORT = 9
"""Nothing is sent there: a route has no port."""


def source_towards(destination: str) -> str | None:
    """The address that packets to this address leave from; None where no network leads there."""
    family = socket.AF_INET6 if ":" in destination else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as asking:
        asking.connect((destination, ANY_PORT))
        return str(asking.getsockname()[0])
    return None


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


class Way:
    """Of one session, taken down when it has come up."""

    def __init__(self, answer: str) -> None:
        self._sources = {place: source_towards(place) for place in destinations(answer)}

    def moved(self) -> str:
        """In words, once media would leave from another address than then; empty while nothing has changed
        or no network is there at all.

        While the address is still ours nothing is said: ICE may have found another way for its packets, an IPv6
        address serves on after another one is preferred to it, as happens daily (RFC 8981), and a session in which
        nothing arrives any more is noticed by that.
        """
        for place, before in self._sources.items():
            now = source_towards(place)
            if before is None or now is None or now == before:
                continue
            if is_own(before):
                continue
            return f"the network has changed: {place} is reached from {now}, no more from {before}"
        return ""


def _is_address(text: str) -> bool:
    with contextlib.suppress(ValueError):
        return not ipaddress.ip_address(text).is_link_local
    return False
