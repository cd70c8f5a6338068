"""What the loudspeaker played in the last two seconds, by the time at which it sounded.

The thread of the loudspeaker adds, that of the microphone takes; each side's periods follow each
other without a seam until its clock says that something is missing.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ

CAPACITY_SAMPLES = 2 * SAMPLE_RATE_HZ
JITTER_SAMPLES = SAMPLE_RATE_HZ * 5 // 1000
"""A card says to a few milliseconds what it has queued; what is off by more is a gap or its drift..."""

BELIEVED = 3
"""... if it is so for so many chunks in a row: a thread may be held up between the clock and the card."""

NANOSECONDS = 1_000_000_000


class Reference:
    """Times are running times in nanoseconds; sound is mono S16LE at 48 kHz."""

    def __init__(self) -> None:
        self._ring = numpy.zeros(CAPACITY_SAMPLES, numpy.int16)
        self._end = 0
        self._next = 0
        self._off = 0

    def add(self, at_nanoseconds: int, pcm: bytes) -> None:
        """This begins to sound then; a gap before it was silence."""
        samples = numpy.frombuffer(pcm, numpy.int16)
        begin = _steady(self._end, at_nanoseconds)
        self._off = 0 if begin == self._end else self._off + 1
        if self._off < BELIEVED:
            begin = self._end
        gap = min(max(0, begin - self._end), CAPACITY_SAMPLES)
        self._ring[_places(begin - gap, gap)] = 0
        self._ring[_places(begin, len(samples))] = samples
        self._end = begin + len(samples)

    def take(self, at_nanoseconds: int) -> bytes:
        """The period that began to sound then; silence where nothing did."""
        begin = _steady(self._next, at_nanoseconds)
        self._next = begin + PERIOD_FRAMES
        period = self._ring[_places(begin, PERIOD_FRAMES)]
        oldest = self._end - CAPACITY_SAMPLES
        at = numpy.arange(begin, self._next)
        period[(at < oldest) | (at >= self._end)] = 0
        return bytes(period.tobytes())


def _steady(expected: int, at_nanoseconds: int) -> int:
    """The sample at this time, or the expected one if that is near enough."""
    sample = at_nanoseconds * SAMPLE_RATE_HZ // NANOSECONDS
    return expected if abs(sample - expected) <= JITTER_SAMPLES else sample


def _places(begin: int, count: int) -> NDArray[numpy.int64]:
    return numpy.arange(begin, begin + count) % CAPACITY_SAMPLES
