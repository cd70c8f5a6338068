"""Loudness in software, for cards without a mixer of their own."""

from __future__ import annotations

from agent.devices import samples


def gain(percent: int) -> float:
    """Amplitude for 0 to 100 percent: cubic, as loudness is heard (50 percent is -18 dB)."""
    return (percent / 100) ** 3


def scale(sound: bytes, percent: int) -> bytes:
    """The S16LE sound at this volume; 100 leaves it untouched."""
    if percent >= 100:
        return sound
    factor = gain(percent)
    return samples.to_bytes(sample * factor for sample in samples.to_numbers(sound))
