"""Reads receiver reports out of RTCP packets (RFC 3550, 6.4): what the server got of our streams.

GStreamer keeps one report block for each reporter, and servers report retransmissions as streams of
their own, so its statistics tell of whichever stood last.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

SENDER_REPORT, RECEIVER_REPORT = 200, 201
BLOCK = struct.Struct("!IB3sIIII")
UNIX_TO_NTP_SECONDS = 2_208_988_800
"""1900 to 1970 (RFC 868)."""


class ReportBlock(NamedTuple):
    """What the server says about one stream; `loss` (0 to 1) is since its last report."""

    ssrc: int
    loss: float
    jitter_ticks: int
    round_trip_seconds: float | None


def report_blocks(compound: bytes, now_unix_seconds: float) -> Iterator[ReportBlock]:
    """All report blocks of a compound packet; what is cut short or no RTCP is left out."""
    while len(compound) >= 8:
        first, kind, words = struct.unpack_from("!BBH", compound)
        packet, compound = compound[: 4 * (words + 1)], compound[4 * (words + 1) :]
        offset = {SENDER_REPORT: 28, RECEIVER_REPORT: 8}.get(kind)
        if offset is None or first >> 6 != 2:
            continue
        for at in range(offset, offset + BLOCK.size * (first & 31), BLOCK.size):
            if at + BLOCK.size <= len(packet):
                yield _block(BLOCK.unpack_from(packet, at), now_unix_seconds)


def _block(fields: tuple[int, int, bytes, int, int, int, int], now: float) -> ReportBlock:
    ssrc, fraction, _lost, _highest, jitter, last_report, delay = fields
    round_trip = None
    if last_report:
        middle = int((now + UNIX_TO_NTP_SECONDS) * 65536) & 0xFFFFFFFF
        ticks = (middle - last_report - delay) & 0xFFFFFFFF
        # a clock that was set in between makes it negative
        round_trip = ticks / 65536 if ticks < 0x80000000 else None
    return ReportBlock(ssrc, fraction / 256, jitter, round_trip)
