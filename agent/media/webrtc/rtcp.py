"""Reads receiver reports out of RTCP packets (RFC 3550, 6.4): what the server got of our streams.

GStreamer keeps one report block for each reporter, and servers report retransmissions as streams of
their own, so its statistics tell of whichever stood last.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

SENDER_REPORT, RECEIVER_REPORT, BYE, PAYLOAD_FEEDBACK = 200, 201, 203, 206
APPLICATION_FORMAT = 15
REMB = b"REMB"
BLOCK = struct.Struct("!IB3sIIII")
UNIX_TO_NTP_SECONDS = 2_208_988_800
"""1900 to 1970 (RFC 868)."""


class ReportBlock(NamedTuple):
    """What the server says about one stream; `loss` (0 to 1) is since its last report, `highest` the
    newest packet's number (the lower 16 bits of it), `at_unix_seconds` when this was said to us.
    """

    ssrc: int
    loss: float
    jitter_ticks: int
    round_trip_seconds: float | None
    highest: int = 0
    at_unix_seconds: float = 0.0


def packets(compound: bytes) -> Iterator[tuple[int, int, bytes]]:
    """Count or format, type and bytes of each; what is cut short or no RTCP is left out."""
    while len(compound) >= 8:
        first, kind, words = struct.unpack_from("!BBH", compound)
        packet, compound = compound[: 4 * (words + 1)], compound[4 * (words + 1) :]
        if first >> 6 == 2:
            yield first & 31, kind, packet


def byes(compound: bytes) -> int:
    """How many streams end with this (RFC 3550, 6.6)."""
    return sum(count for count, kind, _ in packets(compound) if kind == BYE)


def receiver_limit(compound: bytes) -> int | None:
    """The bits per second that a receiver can take at most (draft-alvestrand-rmcat-remb-03), if it
    says so."""
    for form, kind, packet in packets(compound):
        remb = kind == PAYLOAD_FEEDBACK and form == APPLICATION_FORMAT and packet[12:16] == REMB
        if remb and len(packet) >= 20:
            (word,) = struct.unpack_from("!I", packet, 16)
            return int((word & 0x3FFFF) << (word >> 18 & 0x3F))
    return None


def report_blocks(compound: bytes, now_unix_seconds: float) -> Iterator[ReportBlock]:
    """All report blocks of a compound packet."""
    for count, kind, packet in packets(compound):
        offset = {SENDER_REPORT: 28, RECEIVER_REPORT: 8}.get(kind)
        if offset is None:
            continue
        for at in range(offset, offset + BLOCK.size * count, BLOCK.size):
            if at + BLOCK.size <= len(packet):
                yield _block(BLOCK.unpack_from(packet, at), now_unix_seconds)


def _block(fields: tuple[int, int, bytes, int, int, int, int], now: float) -> ReportBlock:
    ssrc, fraction, _lost, highest, jitter, last_report, delay = fields
    round_trip = None
    if last_report:
        middle = int((now + UNIX_TO_NTP_SECONDS) * 65536) & 0xFFFFFFFF
        ticks = (middle - last_report - delay) & 0xFFFFFFFF
        # a clock that was set in between makes it negative
        round_trip = ticks / 65536 if ticks < 0x80000000 else None
    return ReportBlock(ssrc, fraction / 256, jitter, round_trip, highest & 0xFFFF, now)
