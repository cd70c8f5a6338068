"""A hundred thousand steps of random lives: how often a room without the floor was told to be live.

The same lives as in tests/core/test_random_lives.py, which looks at the other promises too.
"""

from __future__ import annotations

from tests.bench.row import Row
from tests.core.lives import Life

LONG = True
LIVES, STEPS = 250, 400


def measure() -> list[Row]:
    without = with_floor = 0
    for seed in range(LIVES):
        life = Life(seed)
        for _ in range(STEPS):
            life.step()
            floor = life.room.state(life.now).floor
            if life.media_process is None or floor is None or floor.mode != "request":
                continue
            if life.media_process.told_live:
                with_floor += floor.held
                without += not floor.held
    return [
        Row("random lives, steps", LIVES * STEPS, "", None),
        Row("random lives, live with the floor", with_floor, "steps", 100, at_least=True),
        Row("random lives, live without the floor", without, "steps", 0),
    ]
