"""How many lost packets are sent again: enough for a bad radio, too few to choke a full link.

On a full link every packet sent again pushes out another, which is asked for again: without a limit
the retransmissions alone fill the link many times over.
"""

from __future__ import annotations

BITS_PER_PACKET = 20_000
"""Of the picture's bitrate for each packet a second that may be sent again: 75 at 1.5 Mbit/s, where
5 % loss asks for 10, and servers that ask every 100 ms do so twice or thrice."""

LEAST_PER_SECOND = 10.0
BURST_SECONDS = 1.0


class RetransmissionBudget:
    """A token bucket; used in the thread that takes the requests."""

    def __init__(self, bits_per_second: int) -> None:
        self._per_second = LEAST_PER_SECOND
        self._at = 0.0
        self.follow(bits_per_second)
        self._tokens = self._per_second * BURST_SECONDS

    def follow(self, bits_per_second: int) -> None:
        """The picture's bitrate from now on."""
        self._per_second = max(bits_per_second / BITS_PER_PACKET, LEAST_PER_SECOND)

    def permit(self, now_seconds: float) -> bool:
        """Whether one more may be sent now; `now_seconds` is the monotonic clock's."""
        earned = (now_seconds - self._at) * self._per_second
        self._tokens = min(self._per_second * BURST_SECONDS, self._tokens + earned)
        self._at = now_seconds
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
