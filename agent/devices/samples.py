"""S16LE sound as numbers and back, on any machine."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Iterable

LOWEST, HIGHEST = -32768, 32767


def to_numbers(sound: bytes) -> array[int]:
    """The samples of S16LE bytes."""
    samples = array("h", sound)
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def to_bytes(samples: Iterable[float]) -> bytes:
    """S16LE bytes of samples, rounded and clipped."""
    numbers = array("h", (max(LOWEST, min(HIGHEST, round(sample))) for sample in samples))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers.tobytes()
