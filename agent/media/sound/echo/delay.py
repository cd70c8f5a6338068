"""How much later than it was played the loudspeaker's sound is in the microphone's.

No driver knows a television's delay. The phases of both sounds are compared (GCC-PHAT, Knapp and
Carter 1976), which a second of speech is enough for, also while somebody speaks in the room.
"""

from __future__ import annotations

import numpy
from numpy.typing import NDArray

from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ

DECIMATION = 6
RATE_HZ = SAMPLE_RATE_HZ // DECIMATION
"""8 kHz: to a fraction of a millisecond, and enough of a voice."""

KEPT_PERIODS = 200
LOOK_PERIODS = 50
"""Two seconds are kept, and looked at twice a second."""

EARLIEST_SECONDS, LATEST_SECONDS = -0.1, 0.5
"""Early is the echo of a card whose driver says that it is slower than it is."""

AGREE_SECONDS = 0.003
"""Two looks in a row that differ by no more are believed."""

AUDIBLE = 30.0
"""RMS of the loudspeaker's samples (-61 dBFS) below which there is nothing to compare."""

LEAST_LIKENESS = 8.0
"""How far the peak has to stand out from the rest of the correlation, in its standard deviations."""


class EchoDelay:
    """One thread adds period by period; both are to have begun at the same time."""

    def __init__(self) -> None:
        self._played = numpy.zeros(KEPT_PERIODS * PERIOD_FRAMES // DECIMATION)
        self._heard = numpy.zeros_like(self._played)
        self._periods = 0
        self._last: float | None = None

    def add(self, reference: bytes, captured: bytes) -> float | None:
        """Seconds, each time that two looks agree."""
        _shift_in(self._played, reference)
        _shift_in(self._heard, captured)
        self._periods += 1
        if self._periods % LOOK_PERIODS:
            return None
        before, self._last = self._last, self._estimate()
        if before is None or self._last is None or abs(before - self._last) > AGREE_SECONDS:
            return None
        return self._last

    def _estimate(self) -> float | None:
        if numpy.sqrt(numpy.mean(self._played**2)) < AUDIBLE:
            return None
        size = 2 * len(self._played)
        cross = numpy.fft.rfft(self._heard, size) * numpy.fft.rfft(self._played, size).conj()
        likeness = numpy.fft.irfft(cross / (numpy.abs(cross) + 1e-9))
        first, last = int(EARLIEST_SECONDS * RATE_HZ), int(LATEST_SECONDS * RATE_HZ)
        likeness = numpy.roll(likeness, -first)[: last - first]
        best = int(likeness.argmax())
        stands_out = likeness[best] > LEAST_LIKENESS * likeness.std()
        return (first + best + _vertex(likeness, best)) / RATE_HZ if stands_out else None


def _shift_in(kept: NDArray[numpy.float64], period: bytes) -> None:
    samples = numpy.frombuffer(period, numpy.int16).reshape(-1, DECIMATION).mean(axis=1)
    kept[: -len(samples)] = kept[len(samples) :]
    kept[-len(samples) :] = samples


def _vertex(curve: NDArray[numpy.float64], peak: int) -> float:
    """Where between its samples the curve is highest: of the parabola through the three of its peak."""
    if not 0 < peak < len(curve) - 1:
        return 0.0
    before, at, after = curve[peak - 1 : peak + 2]
    return float(0.5 * (before - after) / (before - 2 * at + after))
