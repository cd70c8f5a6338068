"""Who is logged in, and how often somebody may try."""

from __future__ import annotations

import secrets
from ipaddress import ip_address, ip_network
from typing import NamedTuple

FREE_TRIES = 5
PAUSE_SECONDS = 30.0
"""After that many failures, for each name and each address; it doubles up to an hour."""

MAX_PAUSE_SECONDS = 3600.0
MAX_KEPT = 10_000
"""Names and addresses whose failures are remembered."""


class Login(NamedTuple):
    """A session of the page. `csrf` must come with everything that changes something."""

    name: str
    csrf: str
    until: float
    proof: str
    """What the account was known by (`Accounts.proof_of`); with another password the session is over."""


class Logins:
    """In memory: a restart of the conductor logs everybody out. `now` is monotonic."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._by_cookie: dict[str, Login] = {}
        self._failures: dict[str, tuple[int, float]] = {}

    def begin(self, name: str, proof: str, now: float) -> tuple[str, Login]:
        """A new session, and its cookie."""
        self._by_cookie = {c: one for c, one in self._by_cookie.items() if one.until > now}
        cookie = secrets.token_urlsafe(32)
        login = Login(name, secrets.token_urlsafe(16), now + self._seconds, proof)
        self._by_cookie[cookie] = login
        return cookie, login

    def find(self, cookie: str, now: float, *, used: bool = True) -> Login | None:
        """Who this is. Each use lets it last longer, an open page alone does not (`used` False)."""
        login = self._by_cookie.get(cookie)
        if login is None or login.until <= now:
            return None
        if not used:
            return login
        login = login._replace(until=now + self._seconds)
        self._by_cookie[cookie] = login
        return login

    def end(self, cookie: str) -> None:
        """No session any more; fine if it was none."""
        self._by_cookie.pop(cookie, None)

    def wait_seconds(self, now: float, *who: str) -> float:
        """How long these must wait until the next try; 0 if not at all."""
        return max(0.0, *(self._failures.get(one, (0, 0.0))[1] - now for one in who))

    def failed(self, now: float, *who: str) -> None:
        """Another try of these failed: from the FREE_TRIES-th on each must wait, twice as long each time."""
        for one in who:
            count = self._failures.get(one, (0, 0.0))[0] + 1
            over = count - FREE_TRIES
            pause = min(MAX_PAUSE_SECONDS, PAUSE_SECONDS * 2.0 ** min(over, 10)) if over >= 0 else 0
            self._failures.pop(one, None)
            if len(self._failures) >= MAX_KEPT:
                # the oldest, so that none of many names clears all others
                self._failures.pop(next(iter(self._failures)))
            self._failures[one] = (count, now + pause)

    def succeeded(self, *who: str) -> None:
        """Their failures are forgotten."""
        for one in who:
            self._failures.pop(one, None)


def network_of(address: str) -> str:
    """Whose tries count together: an IPv6 network of 64 bits is one customer's (RFC 6177), and has addresses without end."""
    try:
        version = ip_address(address).version
    except ValueError:
        return address
    return address if version == 4 else str(ip_network(f"{address}/64", strict=False))
