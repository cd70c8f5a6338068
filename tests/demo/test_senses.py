"""The demo's eyes and ears know what is there, and above all what isn't."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.devices.camera.pattern import Pattern
from tests.support.demo import listening, looking, recordings
from tests.support.demo.senses import known_test_pictures, rgb
from tests.support.pictures import framed
from tests.support.sounds import RATE_HZ, Sound

CERTAIN = 2.0


@pytest.fixture(scope="module")
def words(tmp_path_factory: pytest.TempPathFactory) -> Sound:
    path = tmp_path_factory.mktemp("words") / "words.wav"
    recordings.make_words(path)
    return listening.read_wav(path)


def test_words_are_found_at_their_place_in_noise(words: Sound) -> None:
    noise = np.random.default_rng(1).normal(0, 500, len(words))
    heard = (np.roll(words, -2 * RATE_HZ) * 0.5 + noise).astype(np.int16)
    found = listening.find(words, heard)
    assert found.start_seconds == pytest.approx(2.0, abs=0.001)
    assert found.peak_ratio > CERTAIN


@pytest.mark.parametrize("seconds", [1.0, 0.0])
def test_words_are_not_found_where_there_are_none(words: Sound, seconds: float) -> None:
    tone = np.sin(2 * np.pi * 440 * np.arange(len(words)) / RATE_HZ) * 9000 * seconds
    assert not listening.find(words, tone.astype(np.int16)).peak_ratio > CERTAIN


def test_other_words_are_not_taken_for_these(words: Sound) -> None:
    assert not listening.find(words, words[::-1].copy()).peak_ratio > CERTAIN


@pytest.mark.parametrize("number", range(16))
def test_each_test_picture_is_told_from_the_others(number: int) -> None:
    seen = rgb(Pattern(number, 640, 360).draw(12345))
    found = looking.recognise(seen, known_test_pictures(seen))
    assert found.name == f"test picture {number}"
    assert found.correlation > 0.95
    assert found.next_correlation < found.correlation - 0.02


def test_a_picture_beneath_words_is_found_on_its_screen() -> None:
    screen = np.zeros((720, 1280, 3), dtype=np.uint8)
    screen[20:40, 30:300] = 255
    screen[118:658, 160:1120] = rgb(Pattern(5, 960, 540).draw(12345))
    seen = framed(screen)
    assert seen.shape == (540, 960, 3)
    assert looking.recognise(seen, known_test_pictures(seen)).name == "test picture 5"
    assert framed(np.zeros_like(screen)).shape == screen.shape, "nothing is shown"


def test_a_grey_picture_is_nothing_known() -> None:
    grey = np.full((360, 640, 3), 128, dtype=np.uint8)
    assert looking.recognise(grey, known_test_pictures(grey)).correlation < 0.5


def test_the_photograph_is_recognised_by_any_of_its_pictures(tmp_path: Path) -> None:
    video = tmp_path / "photograph.mp4"
    recordings.make_video(video, 640, 360, 15)
    pictures = list(looking.read_pictures(video))
    found = looking.recognise(
        pictures[20], {"photograph": pictures[::10], **known_test_pictures(pictures[20])}
    )
    assert found.name == "photograph"
    assert found.correlation > 0.99
