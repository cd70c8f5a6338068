"""How long after it was mixed the loudspeaker's sound comes back into the microphone.

Pure. No driver knows a television's delay, and webrtcdsp of Debian 12 cancels little of an echo that
comes later than 10 ms (docs/decisions), so the loudness of both sides is compared and aligned.
"""

from __future__ import annotations

import math
from collections import deque

SLOT_NANOSECONDS = 10_000_000
"""Resolution: one period."""

KEPT_SLOTS = 600
NEEDED_SLOTS = KEPT_SLOTS * 3 // 4
"""Threads are late at times, and then two periods fall into one slot."""

LONGEST_SLOTS = 40
"""Echo later than 400 ms is not looked for."""

LEAST_LIKENESS = 0.4
"""Correlation of the two loudness curves below which there is no echo worth speaking of."""

STRIDE = 8
"""Of 480 samples, every eighth tells the loudness well enough."""


class Envelope:
    """The loudness of the last six seconds in slots of 10 ms; one thread adds, another looks."""

    def __init__(self) -> None:
        self._slots: deque[tuple[int, float]] = deque(maxlen=KEPT_SLOTS)

    def add(self, at_nanoseconds: int, period: bytes) -> None:
        """Take in one period of S16LE that began at this running time."""
        samples = memoryview(period).cast("h")[::STRIDE]
        loudness = math.log1p(sum(map(abs, samples)))
        self._slots.append((at_nanoseconds // SLOT_NANOSECONDS, loudness))

    def curve(self) -> dict[int, float]:
        return dict(tuple(self._slots))


def estimate_delay(far: Envelope, near: Envelope) -> int | None:
    """Slots by which the near loudness follows the far; None if it does not."""
    heard, played = near.curve(), far.curve()
    if min(len(heard), len(played)) < NEEDED_SLOTS:
        return None
    likeness = [_likeness(heard, played, lag) for lag in range(LONGEST_SLOTS)]
    best = max(range(LONGEST_SLOTS), key=likeness.__getitem__)
    return best if likeness[best] >= LEAST_LIKENESS else None


def _likeness(heard: dict[int, float], played: dict[int, float], lag: int) -> float:
    """Pearson's correlation at this lag."""
    pairs = [(value, played[slot - lag]) for slot, value in heard.items() if slot - lag in played]
    if len(pairs) < KEPT_SLOTS // 2:
        return 0.0
    mean_heard = sum(a for a, _ in pairs) / len(pairs)
    mean_played = sum(b for _, b in pairs) / len(pairs)
    products = sum((a - mean_heard) * (b - mean_played) for a, b in pairs)
    squares_heard = sum((a - mean_heard) ** 2 for a, _ in pairs)
    squares_played = sum((b - mean_played) ** 2 for _, b in pairs)
    scale = math.sqrt(squares_heard * squares_played)
    return products / scale if scale > 1 else 0.0
