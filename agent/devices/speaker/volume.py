"""Loudness: what 0 to 100 percent mean, on every card the same, and the part of it done in software."""

from __future__ import annotations

import math


def gain(percent: int) -> float:
    """Amplitude for 0 to 100 percent: cubic, as loudness is heard and as alsamixer shows it (50 percent is
    -18 dB)."""
    return (percent / 100) ** 3


def decibels(amplitude: float) -> float:
    """-inf for silence."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def scaled(sound: bytes, amplitude: float) -> bytes:
    """The S16LE sound with its samples times 0 to 1; 1 leaves it untouched."""
    import numpy as np  # where there is no ALSA loudspeaker, it is not needed

    if amplitude >= 1:
        return sound
    if amplitude <= 0:
        return bytes(len(sound))
    samples = np.frombuffer(sound, dtype="<i2") * np.float32(amplitude)
    return np.rint(samples).astype("<i2").tobytes()


def scale(sound: bytes, percent: int) -> bytes:
    """The S16LE sound at this volume."""
    return scaled(sound, gain(percent))
