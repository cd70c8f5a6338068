"""How long to wait before the next attempt to connect: longer each time, never in step with others.

A province's rooms lose their hub in the same second; the jitter keeps them from coming back in the
same second too (failures rows 19 and 20).
"""

from __future__ import annotations

import random
from collections.abc import Callable

FIRST_SECONDS = 1.0
CAP_SECONDS = 60.0
"""For a hub that is away: a room called at ten minutes' notice is back within one of them."""

REFUSED_FIRST_SECONDS = 15.0
REFUSED_CAP_SECONDS = 300.0
"""For a hub that said no: only a person changes that, and hammering gets clients banned."""

JITTER = 0.8
"""Share of a delay that is left to chance."""


class Backoff:
    """Delays between attempts; `chance` gives numbers from 0 to 1."""

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._attempts = 0

    def reset(self) -> None:
        """The link works: the next failure is a first one."""
        self._attempts = 0

    def next_seconds(self, *, refused: bool) -> float:
        """The delay after one more failed attempt; `refused`: the hub answered, and said no."""
        first, cap = (
            (REFUSED_FIRST_SECONDS, REFUSED_CAP_SECONDS)
            if refused
            else (FIRST_SECONDS, CAP_SECONDS)
        )
        longest = min(cap, first * 2.0 ** min(self._attempts, 16))
        self._attempts += 1
        return longest * (1 - JITTER * self._chance())
