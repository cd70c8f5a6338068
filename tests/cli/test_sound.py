"""Levels in dBFS, and the chirp found under noise, a tone and at a given delay."""

import random

import pytest

from agent.diagnostics import sound

RATE = 48_000


def noise(count: int, amplitude: float, seed: int = 1) -> list[int]:
    generator = random.Random(seed)
    return [round(generator.gauss(0, amplitude * 32768)) for _ in range(count)]


def test_a_full_sine_is_0_dbfs_and_half_of_it_6_less() -> None:
    assert sound.level(sound.tone(1000, 1, 1.0)) == pytest.approx(0, abs=0.2)
    assert sound.level(sound.tone(1000, 1, 0.5)) == pytest.approx(-6, abs=0.2)


def test_exact_zeros_and_clipping_are_told() -> None:
    silent = sound.measure([0] * RATE)
    assert silent.zeros == 1.0
    assert silent.level_dbfs == sound.SILENCE_DBFS
    loud = sound.measure([max(-32768, min(32767, 8 * s)) for s in sound.tone(440, 1, 0.5)])
    assert loud.clipped > 0.5


def test_the_noise_floor_is_that_of_the_pauses() -> None:
    samples = noise(RATE, 0.001) + sound.tone(500, 0.5, 0.5)
    figures = sound.measure(samples)
    assert figures.noise_floor_dbfs == pytest.approx(-57, abs=1.5)
    assert figures.level_dbfs > -12


@pytest.mark.parametrize("background", ["quiet", "noise", "tone"])
def test_the_chirp_is_found_where_it_is(background: str) -> None:
    base = {
        "quiet": [0] * (2 * RATE),
        "noise": noise(2 * RATE, 0.002),
        "tone": sound.tone(440, 2, 0.25),
    }[background]
    delay = round(0.35 * RATE)
    for n, sample in enumerate(sound.chirp()):
        base[delay + n] += round(sample * 0.02)
    echo = sound.find_chirp(base)
    assert echo.found
    assert echo.delay_seconds == pytest.approx(0.35, abs=0.001)
    assert echo.level_dbfs == pytest.approx(-12 - 34, abs=2)


@pytest.mark.parametrize(
    "recording",
    [[0] * RATE, noise(RATE, 0.1), sound.tone(440, 1.5), sound.tone(1000, 1.5)],
    ids=["zeros", "noise", "440 Hz", "1000 Hz"],
)
def test_no_chirp_is_found_where_there_is_none(recording: list[int]) -> None:
    assert not sound.find_chirp(recording).found
