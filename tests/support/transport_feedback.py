"""Tells a sender when each of its packets arrived: transport-wide feedback, as pion's servers give it.

draft-holmer-rmcat-transport-wide-cc-extensions-01; aiortc knows the header extension, but says nothing.
"""

from __future__ import annotations

import struct
import time

URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
INTERVAL_SECONDS = 0.1
"""As pion's interceptor, which MediaMTX and most WHIP servers are made with."""

MOST_PACKETS = 1000
REFERENCE_TICKS, DELTA_TICKS = 0.064, 0.00025
LOST, SMALL, LARGE = 0, 1, 2


class TransportFeedback:
    """Of one connection: `note` each packet, then `report` what came since the last report."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._arrived: dict[int, float] = {}
        self._next: int | None = None
        self._count = 0

    def note(self, number: int) -> None:
        """A packet with this transport-wide number has come."""
        if self._next is None:
            self._next = number
        ahead = (number - self._next) & 0xFFFF
        if ahead < MOST_PACKETS:
            self._arrived[number] = time.monotonic() - self._began

    def report(self, ssrc: int, media_ssrc: int) -> bytes | None:
        """An RTCP packet; None if nothing new came."""
        if self._next is None or not self._arrived:
            return None
        first = self._next
        length = 1 + max((number - first) & 0xFFFF for number in self._arrived)
        times = [self._arrived.get((first + index) & 0xFFFF) for index in range(length)]
        self._next, self._arrived = (first + length) & 0xFFFF, {}
        self._count = (self._count + 1) & 0xFF
        body = struct.pack("!IIHH", ssrc, media_ssrc, first, length)
        body += _statuses(times, self._count)
        body += bytes(-len(body) % 4)
        return struct.pack("!BBH", 0x80 | 15, 205, len(body) // 4) + body


def _statuses(times: list[float | None], count: int) -> bytes:
    reference = int(min(at for at in times if at is not None) / REFERENCE_TICKS)
    before = reference * REFERENCE_TICKS
    symbols, deltas = [], b""
    for at in times:
        if at is None:
            symbols.append(LOST)
            continue
        ticks = round((at - before) / DELTA_TICKS)
        before += ticks * DELTA_TICKS
        small = 0 <= ticks <= 255
        symbols.append(SMALL if small else LARGE)
        deltas += struct.pack("!B" if small else "!h", ticks)
    return struct.pack("!I", reference << 8 | count) + _chunks(symbols) + deltas


def _chunks(symbols: list[int]) -> bytes:
    """Two-bit status vectors, seven packets each."""
    chunks = b""
    for at in range(0, len(symbols), 7):
        word = 0b11
        for symbol in (symbols[at : at + 7] + [LOST] * 7)[:7]:
            word = word << 2 | symbol
        chunks += struct.pack("!H", word)
    return chunks


def read(packet: bytes) -> list[tuple[int, float | None]]:
    """Number and arrival, or None, of each packet that this report tells of; none if it is no such."""
    if len(packet) < 20 or (packet[0] & 31, packet[1]) != (15, 205):
        return []
    first, count, reference = struct.unpack_from("!HHI", packet, 12)
    symbols, at = list[int](), 20
    while len(symbols) < count:
        symbols += _symbols(*struct.unpack_from("!H", packet, at))
        at += 2
    told, now = list[tuple[int, float | None]](), (reference >> 8) * REFERENCE_TICKS
    for index, symbol in enumerate(symbols[:count]):
        if symbol in (SMALL, LARGE):
            (ticks,) = struct.unpack_from("!B" if symbol == SMALL else "!h", packet, at)
            at += symbol
            now += ticks * DELTA_TICKS
        told.append(((first + index) & 0xFFFF, now if symbol in (SMALL, LARGE) else None))
    return told


def _symbols(chunk: int) -> list[int]:
    """A run of one symbol, fourteen of one bit, or seven of two bits."""
    if not chunk >> 15:
        return [chunk >> 13 & 3] * (chunk & 0x1FFF)
    if chunk >> 14 & 1:
        return [chunk >> shift & 3 for shift in range(12, -2, -2)]
    return [chunk >> shift & 1 for shift in range(13, -1, -1)]
