"""The screen's own word on whether its machine keeps up: pure arithmetic over what is wanted and shown."""

from __future__ import annotations

import pytest

from agent.media.picture.strain import Eased, Strain, less
from agent.settings import Output


class Watching:
    """A screen at 30 pictures a second that shows a share of them; looked at twice a second."""

    def __init__(self) -> None:
        self.strain = Strain()
        self.now = 100.0

    def watch(self, share: float, seconds: float, gaps: int = 0, late: float = 0.0) -> bool:
        """`gaps`: in the sound, each half a second; `late`: a decoder, in seconds."""
        for _ in range(int(2 * seconds)):
            self.now += 0.5
            self.strain.update(15.0, round(15 * share), self.now, gaps=gaps, late_seconds=late)
        return self.strain.overloaded


def test_a_machine_that_keeps_up_is_not_overloaded() -> None:
    assert not Watching().watch(1.0, 60)
    assert not Watching().watch(0.85, 60), "a display at 25 Hz"


def test_a_passing_load_is_none() -> None:
    screen = Watching()
    assert not screen.watch(1.0, 10)
    assert not screen.watch(0.2, 5)
    assert not screen.watch(1.0, 30)


def test_a_screen_that_falls_behind_is_overloaded_and_tried_again_ever_later() -> None:
    screen = Watching()
    assert screen.watch(0.5, 15)
    assert screen.watch(1.0, 50), "less is asked of it for a minute"
    assert not screen.watch(1.0, 15)
    assert screen.watch(0.5, 15)
    assert screen.watch(1.0, 100), "for two minutes"
    assert not screen.watch(1.0, 30)


def test_what_gives_way_does_so_in_its_order_and_comes_back_step_by_step() -> None:
    screen, seen = Watching(), []
    for share in [0.5] * 8 + [1.0] * 120:
        screen.watch(share, 5)
        if not seen or seen[-1] is not screen.strain.eased:
            seen.append(screen.strain.eased)
    down = [Eased.NOTHING, Eased.SIZE, Eased.FRAMERATE, Eased.NOISE]
    assert seen == [*down, *reversed(down[:-1])]


@pytest.mark.parametrize(
    ("eased", "asked"),
    [
        (Eased.NOTHING, (1920, 1080, 30)),
        (Eased.SIZE, (960, 540, 30)),
        (Eased.FRAMERATE, (960, 540, 15)),
        (Eased.NOISE, (960, 540, 15)),
    ],
)
def test_sources_are_composed_smaller_before_there_are_fewer_pictures(
    eased: Eased, asked: tuple[int, int, int]
) -> None:
    found = less(Output(driver="kms", width=1920, height=1080, framerate=30), eased)
    assert (found.width, found.height, found.framerate) == asked


def test_words_stay_legible_on_a_small_screen() -> None:
    found = less(Output(driver="window", width=640, height=360, framerate=8), Eased.NOISE)
    assert (found.width, found.height, found.framerate) == (640, 360, 5)


def test_gaps_in_the_sound_are_not_waited_for_twice() -> None:
    screen = Watching()
    assert not screen.watch(0.85, 60), "few pictures are missing, and the sound is whole"
    assert screen.watch(0.85, 5.5, gaps=1)
    assert screen.strain.eased is Eased.SIZE
    screen.watch(0.85, 10, gaps=1)
    assert screen.strain.eased is Eased.NOISE


def test_a_sound_card_that_has_gaps_on_a_machine_with_time_costs_no_picture() -> None:
    assert not Watching().watch(1.0, 60, gaps=3)


def test_one_that_cannot_keep_up_even_so_stays_overloaded() -> None:
    screen = Watching()
    assert screen.watch(0.5, 300)


def test_nothing_wanted_is_nothing_missed() -> None:
    strain = Strain()
    for second in range(60):
        strain.update(0.0, 0, float(second))
    assert not strain.overloaded


def test_a_decoder_that_stays_behind_is_a_sign_though_the_screen_is_filled_in_time() -> None:
    screen = Watching()
    assert not screen.watch(1.0, 60, late=0.2), "what the jitter buffer gives away in one piece"
    assert screen.watch(1.0, 12, late=0.5)


def test_a_decoder_that_was_behind_for_a_moment_is_none() -> None:
    screen = Watching()
    for _ in range(30):
        assert not screen.watch(1.0, 2, late=1.0)
        assert not screen.watch(1.0, 1, late=0.0)
