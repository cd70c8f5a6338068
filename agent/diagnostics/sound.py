"""How loud a sound is, and a chirp that is found again in a recording.

Samples are 48 kHz mono S16LE numbers; levels are dBFS, where a full sine has a peak of 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

from msgspec import Struct

from agent.ports import SAMPLE_RATE_HZ

FULL_SCALE = 32768
SILENCE_DBFS = -120.0
CLIPPED_VALUE = 32700

CHIRP_SECONDS = 0.3
CHIRP_HZ = (400.0, 1600.0)
"""What a small loudspeaker plays and a voice microphone hears."""

CHIRP_AMPLITUDE = 0.25

DECIMATION = 12
"""The chirp is looked for at 4 kHz: enough for its band, and quick without numpy."""

WHITENING_ORDER = 16
"""Samples of the past from which the next is foretold: enough for a voice, a hum and its overtones."""

FOUND_RATIO = 2.5
"""The correlation's peak over the highest one elsewhere; noise and tones alone stay near 1."""

EDGE_SECONDS = 0.01
"""A tone that begins or ends with the recording can't be foretold there: nothing is looked for so near its ends."""

ELSEWHERE_SECONDS = 0.02
"""Further than this from the peak: the chirp's own side lobes are nearer."""


class SoundFigures(Struct, frozen=True):
    """One stretch of sound. `clipped` and `zeros` are shares of its samples, 0 to 1."""

    level_dbfs: float
    peak_dbfs: float
    noise_floor_dbfs: float
    clipped: float
    zeros: float


class Echo(Struct, frozen=True):
    """The chirp as it was heard; `delay_seconds` from the first sample written to it."""

    found: bool
    delay_seconds: float
    level_dbfs: float


def measure(samples: Sequence[int]) -> SoundFigures:
    """The figures of one stretch."""
    if not samples:
        return SoundFigures(SILENCE_DBFS, SILENCE_DBFS, SILENCE_DBFS, 0.0, 1.0)
    window = SAMPLE_RATE_HZ // 10
    levels = [level(samples[i : i + window]) for i in range(0, len(samples), window)]
    return SoundFigures(
        level_dbfs=level(samples),
        peak_dbfs=_decibels(max(abs(sample) for sample in samples)),
        noise_floor_dbfs=sorted(levels)[len(levels) // 10],
        clipped=sum(1 for sample in samples if abs(sample) >= CLIPPED_VALUE) / len(samples),
        zeros=sum(1 for sample in samples if sample == 0) / len(samples),
    )


def level(samples: Sequence[int]) -> float:
    """The RMS level, dBFS."""
    if not samples:
        return SILENCE_DBFS
    return _decibels(math.sqrt(sum(map(mul, samples, samples)) / len(samples)) * math.sqrt(2))


def tone(hertz: float, seconds: float, amplitude: float = 0.25) -> list[int]:
    """A sine without clicks: its ends are faded over 10 ms."""
    count = int(seconds * SAMPLE_RATE_HZ)
    step = 2 * math.pi * hertz / SAMPLE_RATE_HZ
    return _faded([amplitude * math.sin(step * n) for n in range(count)])


def chirp() -> list[int]:
    """A sweep over CHIRP_HZ."""
    low, high = CHIRP_HZ
    count = int(CHIRP_SECONDS * SAMPLE_RATE_HZ)
    phases = (
        2 * math.pi * (low * t + (high - low) * t * t / (2 * CHIRP_SECONDS))
        for t in (n / SAMPLE_RATE_HZ for n in range(count))
    )
    return _faded([CHIRP_AMPLITUDE * math.sin(phase) for phase in phases])


def find_chirp(recording: Sequence[int]) -> Echo:
    """Where the chirp is in the recording, by a matched filter.

    Hums, tones and voices are taken out of both first, else they correlate with the chirp as well.
    """
    wanted, heard = _decimated(chirp()), _decimated(recording)
    foretelling = _foretelling(heard)
    wanted, heard = _surprises(wanted, foretelling), _surprises(heard, foretelling)
    edge = int(EDGE_SECONDS * SAMPLE_RATE_HZ / DECIMATION)
    lags = range(edge, max(edge, len(heard) - len(wanted) - edge))
    strengths = [abs(sum(map(mul, wanted, heard[lag : lag + len(wanted)]))) for lag in lags]
    if not any(strengths):
        return Echo(False, 0.0, SILENCE_DBFS)
    peak = max(strengths)
    at = strengths.index(peak)
    near = int(ELSEWHERE_SECONDS * SAMPLE_RATE_HZ / DECIMATION)
    elsewhere = max(strengths[: max(0, at - near)] + strengths[at + near :], default=0.0)
    gain = peak / sum(map(mul, wanted, wanted))
    return Echo(
        found=peak >= FOUND_RATIO * elsewhere,
        delay_seconds=lags[at] * DECIMATION / SAMPLE_RATE_HZ,
        level_dbfs=_decibels(gain * CHIRP_AMPLITUDE * FULL_SCALE),
    )


def _decimated(samples: Sequence[int]) -> list[float]:
    """At a twelfth of the rate, each value the mean of twelve."""
    whole = len(samples) // DECIMATION * DECIMATION
    return [sum(samples[i : i + DECIMATION]) / DECIMATION for i in range(0, whole, DECIMATION)]


def _foretelling(values: Sequence[float]) -> list[float]:
    """The weights, latest sample first, that foretell each value best (linear prediction, Levinson and Durbin)."""
    powers = [sum(map(mul, values, values[lag:])) for lag in range(WHITENING_ORDER + 1)]
    weights: list[float] = []
    error = powers[0] * (1 + 1e-6)
    for order in range(WHITENING_ORDER):
        if error <= 0:
            break
        rest = powers[order + 1] - sum(map(mul, weights, powers[order:0:-1]))
        step = rest / error
        weights = [w - step * other for w, other in zip(weights, weights[::-1], strict=True)]
        weights.append(step)
        error *= 1 - step * step
    return weights


def _surprises(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """What of each value could not be foretold; none for the first ones, which have no past."""
    past = weights[::-1]
    count = len(past)
    return [
        values[at] - sum(map(mul, past, values[at - count : at]))
        for at in range(count, len(values))
    ]


def _faded(values: list[float]) -> list[int]:
    fade = SAMPLE_RATE_HZ // 100
    last = len(values) - 1
    return [
        round(FULL_SCALE * value * min(1.0, n / fade, (last - n) / fade))
        for n, value in enumerate(values)
    ]


def _decibels(amplitude: float) -> float:
    return round(max(SILENCE_DBFS, 20 * math.log10(max(amplitude, 1e-6) / FULL_SCALE)), 1)
