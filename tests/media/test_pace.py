"""The way from the mixer to the ear: short, steady, longer where the loudspeaker runs dry."""

from __future__ import annotations

import numpy as np

from agent.media.sound.pace import (
    CHUNK_SAMPLES,
    LONGEST_NANOSECONDS,
    SHORTEST_NANOSECONDS,
    Pace,
    stretched,
)
from tests.support.sounds import RATE_HZ, frequency, tone

MILLISECOND = 1_000_000
CHUNKS_PER_MINUTE = 3000


def play(pace: Pace, lag: float, ppm: float, chunks: int) -> list[float]:
    """Lags in milliseconds of so many chunks on a card this much faster than the mixer."""
    lags = []
    for _ in range(chunks):
        excess = pace.heard(round(lag * MILLISECOND))
        lag -= 1000 * excess / RATE_HZ + 20 * ppm / 1e6
        lags.append(lag)
    return lags


def test_a_card_with_another_clock_neither_runs_dry_nor_lags() -> None:
    for ppm in (-500, 500):
        lags = play(Pace(), 40, ppm, 10 * CHUNKS_PER_MINUTE)
        assert max(abs(lag - 40) for lag in lags) < 10


def test_what_was_held_up_is_caught_up_with_at_once() -> None:
    lags = play(Pace(), 160, 0, 50)
    assert lags[-1] < 65


def test_running_dry_makes_it_longer_and_calm_shorter_again() -> None:
    pace = Pace()
    for underruns in range(20):
        pace.second(underruns)
    assert pace.wanted == LONGEST_NANOSECONDS
    for _ in range(600):
        pace.second(19)
    assert pace.wanted == SHORTEST_NANOSECONDS


def test_stretching_leaves_the_tone_a_tone() -> None:
    said = tone(1000, 0, RATE_HZ)
    chunks = np.split(said, RATE_HZ // CHUNK_SAMPLES)
    for excess in (-8, -1, 1, 8):
        heard = b"".join(stretched(chunk.tobytes(), excess) for chunk in chunks)
        sound = np.frombuffer(heard, np.int16)
        assert len(sound) == RATE_HZ - excess * len(chunks)
        assert abs(frequency(sound) - 1000) < 10
        assert (
            np.abs(np.diff(sound.astype(int))).max() < 1.2 * np.abs(np.diff(said.astype(int))).max()
        )


def test_a_whole_chunk_can_be_left_out() -> None:
    assert stretched(tone(1000, 0, CHUNK_SAMPLES).tobytes(), CHUNK_SAMPLES) == b""
