"""The jitter buffers of one session, a stream each: how they ask for lost packets, and what they count.

They come with the streams; rtpbin makes them in its own threads.
"""

from __future__ import annotations

from typing import Any, NamedTuple

SHORTEST_PATIENCE_MILLISECONDS = 340
"""GStreamer takes a packet that is later than its buffer waits as the beginning of another time
(rtpjitterbuffer.c), each stream for itself: lips and sound are torn apart, and a second later the mixer
makes a gap of it. Mobile networks stall, and full queues last (RFC 8867, 4), for 300 ms."""

REPEAT_AFTER_MILLISECONDS = 20
"""A packet this late is asked for again: 3G swaps packets, but not by more."""

REPEAT_AGAIN_MILLISECONDS = 110
"""And again after a round trip of 100 ms. GStreamer's own guess left 26 of 30 pictures whole at 5 %
loss, this 29 (tests/bench/media.py)."""


FIRST_PACKETS = 2
"""One after the other: then a stream has begun, and there is none before them to wait for."""


class Arrivals(NamedTuple):
    """The jitter buffers' counters since the session began, all streams together."""

    lost: int = 0
    """Packets given up."""
    late: int = 0
    """Packets that came after they were given up."""
    requested: int = 0
    """Retransmissions asked for."""


class JitterBuffers:
    """`add` is for rtpbin's signal `new-jitterbuffer`."""

    def __init__(self) -> None:
        self._buffers: list[Any] = []

    def add(self, _rtpbin: Any, buffer: Any, _session: int, _ssrc: int) -> None:
        # a guess at packets to come asks for many that were never sent
        buffer.set_property("rtx-next-seqnum", False)
        buffer.set_property("rtx-delay", REPEAT_AFTER_MILLISECONDS)
        buffer.set_property("rtx-retry-timeout", REPEAT_AGAIN_MILLISECONDS)
        buffer.set_property("faststart-min-packets", FIRST_PACKETS)
        self._buffers.append(buffer)

    def packets_received(self) -> int:
        """RTP packets that came in so far."""
        return self._count("num-pushed")[0]

    def arrivals(self) -> Arrivals:
        """How well they came."""
        return Arrivals(*self._count("num-lost", "num-late", "rtx-count"))

    def repair(self, on: bool) -> None:
        """Whether lost packets are asked for again."""
        for buffer in tuple(self._buffers):
            buffer.set_property("do-retransmission", on)

    def shift(self, nanoseconds: int) -> None:
        """What comes out from now on is due so much later than by its own time."""
        for buffer in tuple(self._buffers):
            buffer.set_property("ts-offset", nanoseconds)

    def anchor(self) -> None:
        """Packets have the times from now on that the next one's arrival tells, as those of a new stream."""
        for buffer in tuple(self._buffers):
            buffer.set_property("ts-offset", 0)
            buffer.emit("clear-pt-map")

    def clear(self) -> None:
        """Let go of them: the session has ended."""
        self._buffers.clear()

    def _count(self, *counters: str) -> list[int]:
        statistics = [buffer.get_property("stats") for buffer in tuple(self._buffers)]
        return [sum(one.get_value(counter) for one in statistics) for counter in counters]
