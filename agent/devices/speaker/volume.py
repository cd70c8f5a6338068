"""Loudness: what 0 to 100 percent mean, on every card the same, and the part of it done in software."""

from __future__ import annotations

import importlib
import math
import threading
from functools import cache

from agent.devices import samples


def gain(percent: int) -> float:
    """Amplitude for 0 to 100 percent: cubic, as loudness is heard and as alsamixer shows it (50 percent is
    -18 dB)."""
    return (percent / 100) ** 3


def decibels(amplitude: float) -> float:
    """-inf for silence."""
    return 20 * math.log10(amplitude) if amplitude > 0 else -math.inf


def scaled(sound: bytes, amplitude: float) -> bytes:
    """The S16LE sound with its samples times 0 to 1; 1 leaves it untouched."""
    if amplitude >= 1:
        return sound
    if amplitude <= 0:
        return bytes(len(sound))
    loading = _loading_numpy()
    if loading.is_alive():
        return samples.to_bytes(amplitude * sample for sample in samples.to_numbers(sound))
    import numpy as np

    louder = np.frombuffer(sound, dtype="<i2") * np.float32(amplitude)
    return np.rint(louder).astype("<i2").tobytes()


@cache
def _loading_numpy() -> threading.Thread:
    """It takes a fifth of a second, on a Pi a whole one, and a call's chime does not wait for it: until it is there Python
    does the work, which costs 7 % of a Pi's core.
    """
    loading = threading.Thread(target=lambda: importlib.import_module("numpy"), daemon=True)
    loading.start()
    return loading


def scale(sound: bytes, percent: int) -> bytes:
    """The S16LE sound at this volume."""
    return scaled(sound, gain(percent))
