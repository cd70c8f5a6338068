"""How many bits the room may send: what the link carries, by the server's receiver reports.

Pure: a report goes in, targets come out. The sound comes first: the picture shrinks when packets
are lost or queue up, and is given up below its floor; then the sound's own bitrate feels its way up,
so that a link too narrow for the picture is not filled again and again with keyframes.
"""

from __future__ import annotations

from typing import NamedTuple

SOUND_BITS_PER_SECOND = 32_000
"""Wideband speech (RFC 7587, 3.1.1)."""

CONGESTED_LOSS = 0.10
"""More is a full link; less may be a bad radio, on which sending less helps nobody."""

CLEAR_LOSS = 0.05
QUEUEING_SECONDS = 0.15
"""Packets that take so much longer than the fastest are queueing somewhere."""

HEADROOM = 0.85
"""Of what arrived, after congestion."""

FIRST_GROWTH = 1.08
MORE_GROWTH = 0.04
"""Each calm report grows the rate faster than the last: gently near the limit, soon back to full."""

MOST_GROWTH = 1.5
PROBE_GROWTH = 1.5
OVERHEAD_BITS_PER_SECOND = 20_000
"""Headers of 50 sound packets a second (IP, UDP, RTP, SRTP tag), which the link carries too."""


class LinkReport(NamedTuple):
    """What the server said about the last second: loss of all streams (0 to 1), round trip."""

    loss: float
    round_trip_seconds: float


class Targets(NamedTuple):
    """Bits per second for the encoders; a picture of None is given up."""

    picture: int | None
    sound: int


class RateControl:
    """Between the picture's floor and ceiling, both in bit/s."""

    def __init__(self, floor: int, ceiling: int) -> None:
        self._floor, self._ceiling = floor, ceiling
        self._picture: float | None = ceiling
        self._sound: float = SOUND_BITS_PER_SECOND
        self._calm = 0
        self._fastest = float("inf")

    def look(self, report: LinkReport) -> Targets:
        """Take a receiver report in. The targets from now on."""
        self._fastest = min(self._fastest, report.round_trip_seconds)
        queueing = report.round_trip_seconds - self._fastest > QUEUEING_SECONDS
        if report.loss > CONGESTED_LOSS or queueing:
            self._calm = 0
            self._fall_back(report.loss)
        elif report.loss <= CLEAR_LOSS:
            self._calm += 1
            self._feel_up()
        return self.targets

    @property
    def targets(self) -> Targets:
        return Targets(int(self._picture) if self._picture else None, int(self._sound))

    def _fall_back(self, loss: float) -> None:
        if self._picture is None:
            self._sound = SOUND_BITS_PER_SECOND
            return
        # all that was sent, headers and sound included, shares the link
        others = SOUND_BITS_PER_SECOND + OVERHEAD_BITS_PER_SECOND
        arrived = (self._picture + others) * (1 - loss)
        wanted = min(arrived * HEADROOM - others, self._picture * HEADROOM)
        if wanted >= self._floor:
            self._picture = wanted
        else:
            self._picture = self._floor if self._picture > 2 * self._floor else None

    def _feel_up(self) -> None:
        if self._picture is not None:
            growth = min(FIRST_GROWTH + MORE_GROWTH * self._calm, MOST_GROWTH)
            self._picture = min(self._picture * growth, self._ceiling)
        elif self._sound < self._floor:
            self._sound *= PROBE_GROWTH
        else:
            self._picture, self._sound = self._floor, SOUND_BITS_PER_SECOND
