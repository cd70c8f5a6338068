"""Names in the candidates of an answer (RFC 8839, 5.1: a domain name may stand there): libnice takes addresses only.

Servers behind a changing address are configured by name, and some say it as it stands (OvenMediaEngine's `IceCandidate`).
"""

from __future__ import annotations

import ipaddress
import re
import time

from agent.media.webrtc.names import Names

CANDIDATE = re.compile(
    r"^(a=candidate:\S+ \d+ \S+ \d+ )(\S+)( \d+ typ [^\r\n]*\r?\n?)", re.M | re.I
)
LOOKUP_SECONDS = 2.0
"""For all names of one answer, in a thread that may wait."""

MOST_NAMES = 4


def with_addresses(answer: str, names: Names) -> str:
    """The answer with each candidate's name replaced by what it leads to, one candidate an address. One whose name leads
    nowhere stays as it is, for who tells what was tried; `.local` is the multicast resolver's.
    """
    found = dict.fromkeys(match[2] for match in CANDIDATE.finditer(answer) if _is_name(match[2]))
    wanted = list(found)[:MOST_NAMES]
    for name in wanted:
        names.ask(name)
    until = time.monotonic() + LOOKUP_SECONDS
    leads_to = {name: names.addresses(name, max(0.0, until - time.monotonic())) for name in wanted}

    def replace(match: re.Match[str]) -> str:
        before, name, after = match.groups()
        addresses = leads_to.get(name) or (name,)
        return "".join(f"{before}{address}{after}" for address in addresses)

    return CANDIDATE.sub(replace, answer)


def _is_name(word: str) -> bool:
    if word.lower().rstrip(".").endswith(".local"):
        return False
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return True
    return False
