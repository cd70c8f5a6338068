"""Figures of the sessions for health, from their RTP sources' statistics: rates since the last look.

Streams are told apart by their RTP clock: 90 kHz is the picture (RFC 6184), 48 kHz the sound (RFC 7587),
and 8 kHz that of telephones (RFC 3551).
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from agent.media.webrtc.rtcp import ReportBlock

KINDS = {90_000: "picture", 48_000: "sound", 8_000: "sound"}
FRACTION = 256
"""Fraction lost in RTCP reports counts 256ths (RFC 3550, 6.4.1)."""


class Stream(NamedTuple):
    """One RTP stream's counters; loss and round trip as the last RTCP report had them."""

    kind: str
    octets: int
    packets: int
    loss: float
    jitter_seconds: float
    round_trip_seconds: float | None


class Rates:
    """Bits per second by stream, from octet counters."""

    def __init__(self) -> None:
        self._before: dict[str, int] = {}
        self._at = time.monotonic()

    def since(self, streams: list[Stream]) -> dict[str, int]:
        """Since the last call, by kind."""
        now = time.monotonic()
        seconds = max(now - self._at, 0.001)
        octets: dict[str, int] = {}
        for stream in streams:  # retransmissions are streams of their own
            octets[stream.kind] = octets.get(stream.kind, 0) + stream.octets
        rates = {
            kind: max(0, int((count - self._before[kind]) * 8 / seconds))
            for kind, count in octets.items()
            if kind in self._before
        }
        self._before, self._at = octets, now
        return rates


def sent(statistics: Any, reports: Mapping[int, ReportBlock]) -> list[Stream]:
    """What we send, with the server's reports of it."""
    streams = []
    for source in _sources(statistics):
        clock = source["clock-rate"]
        if source["internal"] and clock in KINDS and source["packets-sent"]:
            report = reports.get(source["ssrc"], ReportBlock(source["ssrc"], 0.0, 0, None))
            streams.append(
                Stream(
                    KINDS[clock],
                    source["octets-sent"],
                    source["packets-sent"],
                    report.loss,
                    report.jitter_ticks / clock,
                    report.round_trip_seconds,
                )
            )
    return streams


def received(statistics: Any) -> list[Stream]:
    """What we receive, with what we report of it."""
    return [
        Stream(
            KINDS[source["clock-rate"]],
            source["octets-received"],
            source["packets-received"],
            source["sent-rb-fractionlost"] / FRACTION,
            source["jitter"] / source["clock-rate"],
            None,
        )
        for source in _sources(statistics)
        if not source["internal"] and source["packets-received"] and source["clock-rate"] in KINDS
    ]


def leading(streams: list[Stream]) -> list[Stream]:
    """The stream of each kind itself, without its retransmissions."""
    by_packets = sorted(streams, key=lambda stream: stream.packets)
    return list({stream.kind: stream for stream in by_packets}.values())


SOURCE_FIELDS = (
    "ssrc",
    "internal",
    "clock-rate",
    "packets-sent",
    "octets-sent",
    "packets-received",
    "octets-received",
    "sent-rb-fractionlost",
    "jitter",
)
"""What is read of RTPSource's figures: PyGObject cannot read all that 1.26 has (GstValueList)."""


def _sources(statistics: Any) -> Iterator[dict[str, Any]]:
    """Read while `statistics` is there: PyGObject's structures of it point into it."""
    for source in statistics.get_value("source-stats") if statistics else ():
        yield {name: source.get_value(name) for name in SOURCE_FIELDS}
