"""The judgement on a microphone's level, on sound made up."""

from __future__ import annotations

import numpy as np
import pytest

from agent.devices.microphone.level import SILENCE_DBFS, LevelWatch, dbfs, measure
from agent.ports import PERIOD_FRAMES
from tests.support.sounds import Sound, level_dbfs, tone

QUIET = 6
"""An amplitude of about -78 dBFS."""


def heard(seconds: float, sound: Sound) -> LevelWatch:
    """A watch that has heard so many seconds of this sound, looped."""
    watch = LevelWatch()
    samples = np.resize(sound, round(seconds * 100) * PERIOD_FRAMES)
    for period in np.split(samples, round(seconds * 100)):
        watch.hear(period.tobytes())
    return watch


def code(watch: LevelWatch) -> str | None:
    fault = watch.fault(required=True)
    return fault.code if fault else None


@pytest.mark.parametrize("amplitude", [32767, 9000, 100, 2])
def test_levels_agree_with_their_definition(amplitude: int) -> None:
    sound = tone(1000, 0, 480, amplitude)
    rms, _ = measure(sound.tobytes())
    assert dbfs(rms) == pytest.approx(level_dbfs(sound), abs=0.1)


def test_silence_has_a_level_that_json_can_carry() -> None:
    assert heard(2, np.zeros(480, np.int16)).level_dbfs() == SILENCE_DBFS


def test_speech_at_a_usual_level_is_no_fault() -> None:
    watch = heard(40, tone(440, 0, 48_000, 3000))
    assert code(watch) is None
    assert watch.level_dbfs() == pytest.approx(-24, abs=1)


def test_zeros_for_three_seconds_are_a_dead_microphone() -> None:
    zeros = np.zeros(480, np.int16)
    assert code(heard(2.9, zeros)) is None
    assert code(heard(3, zeros)) == "dead"


def test_one_sample_of_noise_is_a_living_microphone() -> None:
    noise = np.zeros(480, np.int16)
    noise[7] = 1
    assert code(heard(10, noise)) is None


def test_a_dead_microphone_that_speaks_again_is_well() -> None:
    watch = heard(10, np.zeros(480, np.int16))
    for _ in range(100):
        watch.hear(tone(440, 0, 480, 3000).tobytes())
    assert code(watch) is None


def test_sound_cut_off_at_full_scale_is_clipping() -> None:
    cut = np.clip(tone(440, 0, 48_000, 32_000).astype(int) * 4, -32768, 32767).astype(np.int16)
    assert code(heard(5, cut)) == "clipping"


def test_one_knock_on_the_table_is_no_clipping() -> None:
    sound = tone(440, 0, 5 * 48_000, 3000)
    sound[48_000:50_400] = 32767
    assert code(heard(10, sound)) is None


def test_a_full_scale_sine_that_only_touches_the_edge_is_no_clipping() -> None:
    assert code(heard(10, tone(100, 0, 48_000, 32_766))) is None


def test_half_a_minute_of_hardly_a_sound_is_too_quiet() -> None:
    sound = tone(440, 0, 48_000, QUIET)
    assert code(heard(29, sound)) is None
    assert code(heard(30, sound)) == "too-quiet"


def test_one_word_in_half_a_minute_is_enough() -> None:
    sound = np.concatenate([tone(440, 0, 25 * 48_000, QUIET), tone(440, 0, 48_000, 3000)])
    assert code(heard(60, sound)) is None
