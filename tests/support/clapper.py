"""A clapperboard for the simulated room: a short tone at each whole second of the monotonic clock.

The simulated microphone plays the file in step with that clock and the simulated camera counts its
pictures by it, so sound and picture of one instant can be told apart from all others.
"""

from __future__ import annotations

import wave
from pathlib import Path

import numpy as np

from tests.support.sounds import RATE_HZ, Sound, tone

CLAP_HZ = 1000.0
AMPLITUDE = 9000
PIECE_SAMPLES = 10 * RATE_HZ
CLAP_SAMPLES = RATE_HZ * 60 // 1000
WHOLE = 0.8
"""The share of a clap's strength below which it counts as torn, and its moment as unknown."""


def write_claps(path: Path) -> None:
    """A second of sound for a simulated microphone's `source`."""
    second = np.zeros(RATE_HZ, np.int16)
    second[:CLAP_SAMPLES] = tone(CLAP_HZ, 0, CLAP_SAMPLES, AMPLITUDE)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE_HZ)
        file.writeframes(second.tobytes())


def find_claps(sound: Sound) -> list[int]:
    """The samples with which whole claps begin."""
    found: list[int] = []
    for start in range(0, len(sound), PIECE_SAMPLES):
        piece = sound[start : start + PIECE_SAMPLES + 2 * CLAP_SAMPLES]
        claps = [start + at for at in _claps_in(piece)]
        found += [at for at in claps if not found or at > found[-1] + CLAP_SAMPLES]
    return found


def _claps_in(sound: Sound) -> list[int]:
    if len(sound) <= CLAP_SAMPLES:
        return []
    turned = sound * np.exp(-2j * np.pi * CLAP_HZ * np.arange(len(sound)) / RATE_HZ)
    running = np.concatenate([[0], np.cumsum(turned)])
    strength = np.abs(running[CLAP_SAMPLES:] - running[:-CLAP_SAMPLES])
    strong = np.flatnonzero(strength > WHOLE * AMPLITUDE / 2 * CLAP_SAMPLES)
    groups = np.split(strong, np.flatnonzero(np.diff(strong) > CLAP_SAMPLES) + 1)
    return [int(group[np.argmax(strength[group])]) for group in groups if len(group)]
