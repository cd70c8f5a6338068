"""The link's check of itself: a message to the broker that must come back.

A TCP connection, a PINGRESP or a library's `is_connected()` prove too little (failures row 15); a
message that went through the broker's routing proves that commands can reach this room.
"""

from __future__ import annotations

INTERVAL_SHARE = 0.9
TIMEOUT_SHARE = 0.5
"""Shares of the keepalive. A hub that stops right after a check is noticed within their sum, which
must stay below 1.5; and the interval below 1, so that no PINGREQ is needed beside it."""


class SelfCheck:
    """When to send the next check, and what came of the last; all times monotonic seconds."""

    def __init__(self, session: str, keepalive_seconds: float) -> None:
        self._session = session
        self._interval = keepalive_seconds * INTERVAL_SHARE
        self._timeout = keepalive_seconds * TIMEOUT_SHARE
        self._count = 0
        self._next_at = 0.0
        self._sent_at: float | None = None
        self._silent_since = 0.0

    def heard(self, now: float) -> None:
        """A command came through the broker's routing, or we don't listen: the echo may be behind others."""
        self._silent_since = now

    def due_at(self) -> float:
        """When there is something to do: send the next, or give the last one up."""
        return self._next_at if self._sent_at is None else self._overdue_at(self._sent_at)

    def _overdue_at(self, sent_at: float) -> float:
        return max(sent_at, self._silent_since) + self._timeout

    def overdue(self, now: float) -> bool:
        """Whether the last one should have come back by now."""
        return self._sent_at is not None and now >= self._overdue_at(self._sent_at)

    def send(self, now: float) -> bytes | None:
        """The payload to send now, if one is due."""
        if self._sent_at is not None or now < self._next_at:
            return None
        self._count += 1
        self._sent_at = now
        self._next_at = now + self._interval
        return self._payload()

    def returned(self, payload: bytes, now: float) -> float | None:
        """Milliseconds of the round trip; None for a stray one, of another connection."""
        if self._sent_at is None or payload != self._payload():
            return None
        milliseconds = (now - self._sent_at) * 1000
        self._sent_at = None
        return milliseconds

    def _payload(self) -> bytes:
        return f"{self._session} {self._count}".encode()
