"""The delay of an echo is found from loudness alone, and none where there is none."""

from __future__ import annotations

import random

import pytest

from agent.media.echo import KEPT_SLOTS, SLOT_NANOSECONDS, Envelope, estimate_delay

PERIOD_SAMPLES = 480


def speech(seed: int) -> list[int]:
    """How loud each 10 ms of a voice are."""
    dice, loud, result = random.Random(seed), 0, []
    while len(result) < 2 * KEPT_SLOTS:
        loud = dice.choice([0, 300, 3000, 9000])
        result += [loud] * dice.randint(3, 30)
    return result


def period(loudness: int) -> bytes:
    return (loudness.to_bytes(2, "little", signed=True)) * PERIOD_SAMPLES


def envelope(loudness: list[int]) -> Envelope:
    result = Envelope()
    for slot, value in enumerate(loudness):
        result.add(slot * SLOT_NANOSECONDS, period(value))
    return result


@pytest.mark.parametrize("delay", [0, 1, 6, 15, 35])
def test_the_delay_of_an_echo_is_found(delay: int) -> None:
    far = speech(1)
    near = [0] * delay + [value // 4 + 20 for value in far]
    assert estimate_delay(envelope(far), envelope(near[: len(far)])) == delay


def test_a_near_voice_over_it_does_not_matter() -> None:
    far, voice = speech(1), speech(2)
    near = [a // 2 + b // 8 + 20 for a, b in zip([0] * 12 + far, voice, strict=False)]
    assert estimate_delay(envelope(far), envelope(near)) == 12


def test_a_room_without_echo_has_no_delay() -> None:
    assert estimate_delay(envelope(speech(1)), envelope(speech(2))) is None
    assert estimate_delay(envelope(speech(1)), envelope([5] * 2 * KEPT_SLOTS)) is None


def test_before_there_is_enough_nothing_is_said() -> None:
    assert estimate_delay(envelope(speech(1)[:50]), envelope(speech(1)[:50])) is None
