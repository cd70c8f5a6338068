"""How many lost packets are sent again: enough for a bad radio, too few to choke a full link.

On a full link every packet sent again pushes out another, which is asked for again: without a limit
the retransmissions alone fill the link many times over. Sound is small, and comes first.
"""

from __future__ import annotations

from collections import deque

BITS_PER_PACKET = 20_000
"""One packet a second may be sent again for each so many bit/s of picture: 75 packets a second at 1.5 Mbit/s.
A loss of 5 % asks for 10 there, and servers that ask every 100 ms ask twice or three times."""

LEAST_PER_SECOND = 2.0
SOUND_PER_SECOND = 12.0
"""A quarter of the sound's packets, so that repeated sound alone can't fill a narrow link."""

BURST_SECONDS = 1.0
MANY_PACKETS = 12
MANY_SECONDS = 0.3
"""So many different packets asked for in so short a time: a fifth of all at 1.5 Mbit/s, four times what
a bad radio loses. The link has become narrow, and the next report would tell it a second later."""


class RetransmissionBudget:
    """A token bucket of packets. `per_second` is the rate at which it fills; it holds one second of it.

    `permit` is called in the thread that takes the requests, `follow` in the loop's.
    """

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._tokens = per_second * BURST_SECONDS
        self._at = 0.0

    def follow(self, picture_bits_per_second: int) -> None:
        """The picture is sent with this bitrate (bit/s) from now on, and the bucket fills accordingly."""
        self._per_second = max(picture_bits_per_second / BITS_PER_PACKET, LEAST_PER_SECOND)

    def permit(self, now_seconds: float) -> bool:
        """Whether one more may be sent now; `now_seconds` is the monotonic clock's."""
        earned = (now_seconds - self._at) * self._per_second
        self._tokens = min(self._per_second * BURST_SECONDS, self._tokens + earned)
        self._at = now_seconds
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class SuddenLoss:
    """Notices when very many different packets are asked for within MANY_SECONDS. Used in the thread that takes
    the requests.
    """

    def __init__(self) -> None:
        self._asked: deque[tuple[float, tuple[int, int]]] = deque()

    def asked(self, ssrc: int, number: int, now_seconds: float) -> bool:
        """Note that packet `number` of stream `ssrc` was asked for. True when MANY_PACKETS different ones were asked
        for within MANY_SECONDS; counting then begins anew, so each such time is told once.
        """
        self._asked.append((now_seconds, (ssrc, number)))
        while self._asked[0][0] < now_seconds - MANY_SECONDS:
            self._asked.popleft()
        if len({packet for _, packet in self._asked}) < MANY_PACKETS:
            return False
        self._asked.clear()
        return True
