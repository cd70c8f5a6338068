"""What the loudspeaker played in the last two seconds, by the time at which it sounded.

The thread of the loudspeaker adds, that of the microphone takes; each side's sound goes on without a
seam until its clock says that something is missing.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ

CAPACITY_SAMPLES = 2 * SAMPLE_RATE_HZ
JITTER_SAMPLES = SAMPLE_RATE_HZ * 5 // 1000
"""A card says to a few milliseconds what it has queued; what is off by more is a gap..."""

BELIEVED = 3
"""... if it is so for so many chunks in a row: a thread may be held up between the clock and the card."""

SMOOTHING = 64
"""Chunks over which a card drifts away from the clock without a gap."""

HALF_TAPS = 16
"""Of the windowed sinc between two samples."""

NANOSECONDS = 1_000_000_000


class Reference:
    """Times are running times in nanoseconds; sound is mono S16LE at 48 kHz."""

    def __init__(self) -> None:
        self.pace = 1.0
        """Samples that the loudspeaker plays while the microphone takes one."""
        self._ring = numpy.zeros(CAPACITY_SAMPLES, numpy.int16)
        self._end = 0
        self._drift = 0.0
        self._off = 0
        self._next = 0.0
        self._expected = 0

    def add(self, at_nanoseconds: int, pcm: bytes) -> None:
        """This begins to sound then; a gap before it was silence."""
        samples = numpy.frombuffer(pcm, numpy.int16)
        begin = self._begin(_sample(at_nanoseconds))
        if (gap := min(begin - self._end, CAPACITY_SAMPLES)) > 0:
            self._write(begin - gap, numpy.zeros(gap, numpy.int16))
        self._write(begin, samples)
        self._end = begin + len(samples)

    def _write(self, begin: int, samples: NDArray[numpy.int16]) -> None:
        """The ring's end may be within."""
        at = begin % CAPACITY_SAMPLES
        head = min(len(samples), CAPACITY_SAMPLES - at)
        self._ring[at : at + head] = samples[:head]
        self._ring[: len(samples) - head] = samples[head:]

    def _begin(self, told: int) -> int:
        off = told - self._end - self._drift
        if abs(off) <= JITTER_SAMPLES:
            self._off = 0
            self._drift += off / SMOOTHING
            return self._end
        self._off += 1
        if self._off < BELIEVED:
            return self._end
        self._off, self._drift = 0, 0.0
        return told

    def take(self, at_nanoseconds: int) -> bytes:
        """The period that began to sound then; silence where nothing did."""
        told = _sample(at_nanoseconds)
        if abs(told - self._expected) > JITTER_SAMPLES:
            self._next = float(told)
        self._expected = told + PERIOD_FRAMES
        middle = PERIOD_FRAMES / 2 * (self.pace - 1)  # what the period gains until its own
        whole, fraction = divmod(self._next + middle, 1)
        self._next += PERIOD_FRAMES * self.pace
        return _between(self._samples(int(whole)), fraction)

    def _samples(self, begin: int) -> NDArray[numpy.int16]:
        """A period from there, and what `_between` needs on both sides of it."""
        at = numpy.arange(begin - HALF_TAPS, begin + PERIOD_FRAMES + HALF_TAPS)
        samples: NDArray[numpy.int16] = self._ring[at % CAPACITY_SAMPLES]
        samples[(at < self._end - CAPACITY_SAMPLES) | (at >= self._end)] = 0
        return samples


def _sample(at_nanoseconds: int) -> int:
    return at_nanoseconds * SAMPLE_RATE_HZ // NANOSECONDS


def _between(samples: NDArray[numpy.int16], fraction: float) -> bytes:
    """The period that is so much of a sample later."""
    if fraction == 0:
        return bytes(samples[HALF_TAPS:-HALF_TAPS].tobytes())
    distance = numpy.arange(-HALF_TAPS, HALF_TAPS + 1) - fraction
    window = numpy.cos(numpy.pi * distance / (2 * HALF_TAPS + 2)) ** 2
    taps = numpy.sinc(distance) * window
    between = numpy.convolve(samples, taps[::-1], "valid")
    return bytes(between.round().clip(-32768, 32767).astype(numpy.int16).tobytes())
