"""What a link carries, by transport-wide feedback: when each packet was sent and when it arrived.

Servers made with pion or libwebrtc tell it ten times a second, GStreamer adds our own send times. Pure
but for `packets`; draft-holmer-rmcat-transport-wide-cc-extensions-01.
"""

from __future__ import annotations

from collections import deque
from itertools import takewhile
from typing import Any, NamedTuple

from agent.media.webrtc.queue import Queue

URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
ID = 4
"""Of the extension in a packet's header; an answer keeps it (RFC 8285, 5)."""

OFFERED = f'rtcp-fb-transport-cc=(boolean)true,extmap-{ID}=(string)"{URI}"'
"""As GStreamer's caps say it."""

ONE_BYTE_PROFILE = b"\xbe\xde"
MOST_HEADER_BYTES = 128
"""That are looked at: there are some extensions at the most."""

HAS_EXTENSION = 0x10
PADDING = 0

EVENT = "RTPTWCCPackets"
NANOSECONDS = 1_000_000_000
NEVER_SECONDS = 2**64 / NANOSECONDS - 1
"""What GStreamer says where it no longer knows (GST_CLOCK_TIME_NONE)."""

HEADER_BYTES = 30
"""RTP's own with its extension, and the SRTP tag: GStreamer counts payloads."""

REMEMBERED_PACKETS = 150
"""For the loss, three quarters of a second at 1.5 Mbit/s: fewer say little of a bad radio."""

LEAST_JUDGED_PACKETS = 50
REMEMBERED_REPORTS = 300
"""Half a minute."""

NEWEST_PACKETS = 4
"""The fastest of so many counts: one alone may have met a busy processor."""

QUEUED_SECONDS = 0.03
MOST_QUEUED_PACKETS, LEAST_QUEUED_BYTES = 20, 2400
"""Packets that wait for each other leave as fast as the link carries them: so many tell how fast."""

EVENLY = 0.15
"""Packets that arrive as evenly as they were sent, to such a share, wait for something else."""


class Packet(NamedTuple):
    """`arrived_seconds` is by the receiver's clock, None for one that was lost."""

    size_bytes: int
    sent_seconds: float
    arrived_seconds: float | None


class Carried(NamedTuple):
    """`loss` is 0 to 1; what the link carries is known only while packets queue for it."""

    loss: float
    queue_seconds: float
    bits_per_second: float | None


def packets(structure: Any) -> list[Packet]:
    """Of GStreamer's event, which comes upstream to whoever made the packets."""
    told = [_packet(one) for one in structure.get_value("packets")]
    return [one for one in told if one.sent_seconds < NEVER_SECONDS]


def is_numbered(packet: bytes) -> bool:
    """Whether the sender of this RTP packet counts it for feedback: it wants to know what arrives."""
    extension = 12 + 4 * (packet[0] & 0x0F)
    if not packet[0] & HAS_EXTENSION or packet[extension : extension + 2] != ONE_BYTE_PROFILE:
        return False
    at = extension + 4
    end = at + 4 * int.from_bytes(packet[extension + 2 : at], "big")
    while at < min(end, len(packet)):
        if packet[at] >> 4 == ID:
            return True
        at += 1 if packet[at] == PADDING else 2 + (packet[at] & 0x0F)
    return False


def _packet(one: Any) -> Packet:
    size = one.get_value("size") + HEADER_BYTES
    arrived = None if one.get_value("lost") else one.get_value("remote-ts") / NANOSECONDS
    return Packet(size, one.get_value("local-ts") / NANOSECONDS, arrived)


class Feedback:
    """Of one session."""

    def __init__(self) -> None:
        self._packets: deque[Packet] = deque(maxlen=REMEMBERED_PACKETS)
        self.queue = Queue(REMEMBERED_REPORTS)
        self._lost: deque[bool] = deque(maxlen=REMEMBERED_PACKETS)
        self._judged_from = 0.0

    def update(self, news: list[Packet]) -> Carried | None:
        """What a report says, with those before it; None if nothing arrived."""
        self._packets.extend(news)
        judged = (one for one in news if one.sent_seconds >= self._judged_from)
        self._lost.extend(one.arrived_seconds is None for one in judged)
        delays = [_delay(one) for one in news if one.arrived_seconds is not None]
        if not delays:
            return None
        queue = self.queue.update(min(delays[-NEWEST_PACKETS:]))
        return Carried(self._loss(), queue, self._bits_per_second())

    def judge_from(self, sent_seconds: float) -> None:
        """What was lost of earlier packets says nothing of how much is sent from now on."""
        self._judged_from = sent_seconds
        self._lost.clear()

    def _loss(self) -> float:
        judged = len(self._lost)
        return self._lost.count(True) / judged if judged >= LEAST_JUDGED_PACKETS else 0.0

    def _bits_per_second(self) -> float | None:
        """Of those that queued, up to the newest."""
        base = self.queue.fastest_seconds + QUEUED_SECONDS
        arrived = (one for one in reversed(self._packets) if one.arrived_seconds is not None)
        queued = list(takewhile(lambda one: _delay(one) > base, arrived))[:MOST_QUEUED_PACKETS]
        size = sum(one.size_bytes for one in queued[:-1])
        if size < LEAST_QUEUED_BYTES:
            return None
        newest, oldest = queued[0], queued[-1]
        sent = newest.sent_seconds - oldest.sent_seconds
        seconds = sent + _delay(newest) - _delay(oldest)
        return 8 * size / seconds if seconds > 0 and abs(seconds - sent) > EVENLY * sent else None


def _delay(packet: Packet) -> float:
    """Of one that arrived, and the difference of the two clocks."""
    assert packet.arrived_seconds is not None
    return packet.arrived_seconds - packet.sent_seconds
