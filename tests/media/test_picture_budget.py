"""Pictures are given up for the sound one by one, and come back where the link carries them."""

from __future__ import annotations

from agent.media.webrtc.picture_budget import LONGEST_PAUSE_SECONDS, PictureBudget

PICTURE, SOUND = 1_500_000, 52_000


class Link:
    """So wide, and the sources that come through it, each with its sound and perhaps its picture."""

    def __init__(self, bits_per_second: float, sources: int) -> None:
        self.bits_per_second = bits_per_second
        self.sources = sources
        self.pictures = sources
        self.now_seconds = 0.0
        self.drowned_seconds = 0.0
        self._budget = PictureBudget()

    def run(self, seconds: int) -> int:
        """How many pictures there are in the end."""
        for _ in range(4 * seconds):
            sent = self.sources * SOUND + self.pictures * PICTURE
            loss = max(0.0, 1 - self.bits_per_second / sent)
            self.drowned_seconds += 0.25 * (loss > 0.05)
            self.now_seconds += 0.25
            self.pictures = self._budget.look([loss] * self.sources, self.sources, self.now_seconds)
        return self.pictures


def test_a_wide_link_carries_all() -> None:
    assert Link(10_000_000, 4).run(60) == 4


def test_a_narrow_link_keeps_the_sound_and_loses_little_of_it_by_trials() -> None:
    link = Link(100_000, 1)
    assert link.run(5) == 0
    link.run(600)
    link.drowned_seconds = 0
    link.run(3600)
    assert link.drowned_seconds < 0.02 * 3600


def test_of_several_sources_as_many_pictures_stay_as_fit() -> None:
    assert Link(3_500_000, 4).run(12) == 2


def test_the_picture_is_back_within_15_seconds_of_a_short_cut() -> None:
    for seconds in range(4, 14):
        link = Link(100_000, 1)
        link.run(seconds)
        link.bits_per_second = 10_000_000
        back = next(second for second in range(1, 60) if link.run(1) == 1)
        assert back <= 15, seconds


def test_after_the_longest_cut_it_is_back_all_the_same() -> None:
    link = Link(100_000, 3)
    link.run(3600)
    link.bits_per_second = 10_000_000
    assert link.run(int(LONGEST_PAUSE_SECONDS) + 40) == 3


def test_a_bad_radio_and_one_bad_source_cost_no_picture() -> None:
    budget = PictureBudget()
    for second in range(120):
        assert budget.look([0.08, 0.6, 0.05], 3, second) == 3


def test_a_source_that_adapts_within_a_second_keeps_its_picture() -> None:
    budget = PictureBudget()
    losses = [0.6] * 5 + [0.0] * 4 + [0.6] * 5
    assert {budget.look([loss], 1, look / 4) for look, loss in enumerate(losses)} == {1}
    assert budget.look([0.6], 1, 4.0) == 0, "it does not adapt"
