"""Finds spoken words again in what was heard: where they stand, and how sure that is.

The words are played over and over, so this is a circular cross-correlation with one round of them.
"""

from __future__ import annotations

import wave
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.support.sounds import RATE_HZ, Sound

WAV_HEADER_BYTES = 44
LEAST_DISTANCE_SECONDS = 0.05
"""Peaks nearer than this belong to one finding."""


@dataclass(frozen=True)
class Finding:
    """Which part of the words the recording begins with, and how alike they are then."""

    start_seconds: float
    correlation: float
    """1 for the same samples, 0 for anything else."""
    peak_ratio: float
    """The correlation against the next best place's."""


def read_wav(path: Path) -> Sound:
    """A 48 kHz mono file's samples."""
    with wave.open(str(path), "rb") as file:
        assert (file.getframerate(), file.getnchannels()) == (RATE_HZ, 1)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def read_growing_wav(path: Path) -> Sound:
    """The samples so far of a file that is still written to: its header does not count."""
    data = path.read_bytes()[WAV_HEADER_BYTES:]
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2")


def find(words: Sound, heard: Sound) -> Finding:
    """Where in the endlessly repeated words the sound heard begins; as much is heard as is said."""
    if len(heard) < len(words):
        raise ValueError(f"only {len(heard) / RATE_HZ:.1f} s of sound")
    said, got = (np.fft.rfft(sound.astype(np.float64)) for sound in (words, heard[-len(words) :]))
    products = np.abs(np.fft.irfft(said * np.conj(got), len(words)))
    likeness = products / (np.linalg.norm(words * 1.0) * np.linalg.norm(heard * 1.0) + 1e-9)
    best = int(np.argmax(likeness))
    gap = int(LEAST_DISTANCE_SECONDS * RATE_HZ)
    elsewhere = np.roll(likeness, -best)[gap:-gap]
    ratio = likeness[best] / (elsewhere.max() + 1e-9)
    return Finding(best / RATE_HZ, float(likeness[best]), float(ratio))
