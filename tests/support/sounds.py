"""What a test hears: the frequency, level and purity of recorded sound.

Samples are mono int16 at 48 kHz throughout, as everywhere in the agent.
"""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Any

import numpy as np

RATE_HZ = 48_000
Sound = np.ndarray[Any, np.dtype[np.int16]]


def tone(frequency_hz: float, first_sample: int, samples: int, amplitude: int = 9000) -> Sound:
    """A piece of an endless sine; pieces with adjoining sample numbers join without a click."""
    phase = 2 * np.pi * frequency_hz * (np.arange(samples) + first_sample) / RATE_HZ
    return (np.sin(phase) * amplitude).astype(np.int16)


def read_wav(path: Path) -> Sound:
    """All samples of a mono 16-bit file, also of one that is still written."""
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


def frequency(sound: Sound) -> float:
    """The strongest frequency in hertz, to about 1 / duration."""
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound))))
    return float(np.argmax(spectrum) * RATE_HZ / len(sound))


def level_dbfs(sound: Sound) -> float:
    """RMS level; a full-scale sine has -3 dBFS, digital silence -inf."""
    rms = np.sqrt(np.mean(sound.astype(np.float64) ** 2)) if len(sound) else 0.0
    return float(20 * np.log10(rms / 32768)) if rms else float("-inf")


def purity(sound: Sound, frequency_hz: float) -> float:
    """The share of the RMS that is this frequency: 1 for a pure tone, 0 without it.

    The median over tenths of a second, so that one gap on a loaded machine does not count.
    """
    pieces = [sound[at : at + RATE_HZ // 10] for at in range(0, len(sound), RATE_HZ // 10)]
    if not pieces:
        return 0.0
    return float(np.median([_share(piece.astype(np.float64), frequency_hz) for piece in pieces]))


def _share(samples: np.ndarray[Any, np.dtype[np.float64]], frequency_hz: float) -> float:
    carrier = np.exp(-2j * np.pi * frequency_hz * np.arange(len(samples)) / RATE_HZ)
    found = np.abs(np.dot(samples, carrier)) / len(samples) * 2
    return float(found / (np.sqrt(2 * np.mean(samples**2)) + 1e-9))


def share_of_time(sound: Sound, frequency_hz: float) -> float:
    """How much of the time this frequency is heard and nothing else: 1 for always, 0 for never."""
    length = RATE_HZ // 20
    pieces = [sound[at : at + length] for at in range(0, len(sound) - length + 1, length)]
    clean = [_share(piece.astype(np.float64), frequency_hz) > 0.9 for piece in pieces]
    return sum(clean) / len(clean) if clean else 0.0
