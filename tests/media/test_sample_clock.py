"""The stamps of a microphone's sound: true however late it is read, and whatever its own clock does."""

from __future__ import annotations

import random

from agent.media.sound.sample_clock import PERIOD_NANOSECONDS, SampleClock

MILLISECOND = 1_000_000


def errors(periods: int, ppm: float, late: list[int]) -> list[float]:
    """Milliseconds by which each stamp is off, for a card of this clock that is read this late."""
    clock = SampleClock()
    found = []
    for number in range(periods):
        true = round(number * PERIOD_NANOSECONDS * (1 + ppm / 1e6))
        found.append((clock.stamp(true + late[number % len(late)]) - true) / MILLISECOND)
    return found


def test_late_readings_are_not_believed() -> None:
    rng = random.Random(1)
    late = [35 * MILLISECOND, *(rng.randrange(30) * MILLISECOND for _ in range(999))]
    assert max(errors(1000, 0, late)[110:]) <= 2
    assert min(errors(1000, 0, late)) >= 0


def test_a_card_with_another_clock_is_followed() -> None:
    for ppm in (-300, 300):
        assert max(map(abs, errors(60_000, ppm, [0]))) <= 3


def test_lost_samples_are_noticed_within_a_second_or_two() -> None:
    clock = SampleClock()
    for number in range(300):
        clock.stamp(number * PERIOD_NANOSECONDS)
    lost = 50 * PERIOD_NANOSECONDS
    stamps = [clock.stamp(number * PERIOD_NANOSECONDS + lost) for number in range(300, 520)]
    assert stamps[-1] == 519 * PERIOD_NANOSECONDS + lost
