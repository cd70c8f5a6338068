"""How much longer than a usual board this machine takes for the same work: what a deadline for itself is scaled by.

For what this machine alone decides (to load, to open, to write). What waits for people, a network or a device's own
clock is not scaled; what takes long in one piece is judged by `loading.SignsOfLife` instead.
"""

from __future__ import annotations

import time
from collections.abc import Callable

USUAL_SECONDS = 0.008
"""For `_work` on a Pi 4, reckoned: 1.3 ms on an x86-64 core of 2023, and a Pi 4's is five times slower."""

TRIES = 3
"""The quickest counts: a moment's preemption says nothing of the board."""

MOST = 8.0
"""No board that can carry a meeting is slower; a machine that swaps is, and should be told so."""


def slowness(timer: Callable[[], float] = time.perf_counter) -> float:
    """From 1 (a Pi 4 or better, at rest) to MOST, measured now; takes 25 ms on a Pi 4."""
    return min(MOST, max(1.0, min(_try(timer) for _ in range(TRIES)) / USUAL_SECONDS))


def patience(seconds: float) -> float:
    """A deadline that suits a Pi 4, for this machine."""
    return seconds * slowness()


def _try(timer: Callable[[], float]) -> float:
    began = timer()
    _work()
    return timer() - began


def _work() -> int:
    total = 0
    for number in range(20_000):
        total ^= number * number
    return total
