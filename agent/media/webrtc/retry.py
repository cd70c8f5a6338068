"""How long to wait before the next attempt at a session.

Pure: it goes by what the last attempt failed of. Short enough to be back within 3 s of the server's
return, and spread at random, since all rooms of a meeting lose their server in one moment.
"""

from __future__ import annotations

import random

from agent.errors import MediaError
from agent.media.webrtc.http import Refused

FIRST_SECONDS = 0.5
LONGEST_SECONDS = 1.5
"""While nobody answers: a connection request costs a dead machine nothing."""

SOON_SECONDS = 1.0
SOON_ATTEMPTS = 20
LATER_SECONDS = 3.0
"""A live server that says "not yet" is asked often for the first 15 s, in which everybody else comes
back too, and then no oftener than it can bear: an answer costs it a TLS handshake."""

WRONG_PEER_SECONDS = 60.0
"""From the first time on: whoever sits in the path gains nothing by our asking, and people are to look."""

FLAPPING_SECONDS = 30.0
"""A server that ends each session soon after it began does so for a reason that lasts."""

FORBIDDEN_SECONDS = 15.0
"""A wrong token will hardly become right by itself."""


SPREAD_SECONDS, SPREAD_SHARE = 1.0, 0.25
"""After what the server's Retry-After says: all rooms were told the same."""


class RetrySchedule:
    """For one source or our own stream."""

    def __init__(self) -> None:
        self._kind = ""
        self._failures = 0

    def reset(self) -> None:
        """Media flows."""
        self._kind, self._failures = "", 0

    def pause_seconds(self, error: MediaError) -> float:
        """After this failure; at least half and at most all of what its kind has come to, and never less than
        what the server asks for.
        """
        kind = "forbidden" if isinstance(error, Refused) and error.forbidden else error.code
        if kind != self._kind:
            self._kind, self._failures = kind, 0
        self._failures += 1
        if kind == "wrong-peer":
            return WRONG_PEER_SECONDS * random.uniform(0.5, 1.0)
        if isinstance(error, Refused) and error.retry_after_seconds:
            wanted = error.retry_after_seconds
            return wanted + random.uniform(0.0, max(SPREAD_SECONDS, SPREAD_SHARE * wanted))
        growing = FIRST_SECONDS * 2.0 ** min(self._failures - 1, 10)
        return min(growing, self._longest_seconds()) * random.uniform(0.5, 1.0)

    def _longest_seconds(self) -> float:
        if self._kind == "forbidden":
            return FORBIDDEN_SECONDS
        if self._kind == "over":
            return FLAPPING_SECONDS
        if self._kind != "refused":
            return LONGEST_SECONDS
        return SOON_SECONDS if self._failures <= SOON_ATTEMPTS else LATER_SECONDS
