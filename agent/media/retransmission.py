"""How many lost packets are sent again: enough for a bad radio, too few to choke a full link.

On a full link every packet sent again pushes out another, which is asked for again: without a limit
the retransmissions alone fill the link many times over.
"""

from __future__ import annotations

PER_SECOND = 30.0
"""Of 200 packets a second, 5 % loss asks for 10, and a few more for those that are lost again."""

BURST = 30.0
"""A radio's fade, or most of a keyframe."""


class RetransmissionBudget:
    """A token bucket; used in the thread that takes the requests."""

    def __init__(self) -> None:
        self._tokens = BURST
        self._at = 0.0

    def permit(self, now_seconds: float) -> bool:
        """Whether one more may be sent now; `now_seconds` is the monotonic clock's."""
        self._tokens = min(BURST, self._tokens + (now_seconds - self._at) * PER_SECOND)
        self._at = now_seconds
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True
