"""Pictures are given up for the sound one by one, and come back where the link carries them."""

from __future__ import annotations

from agent.media.receiving.picture_budget import LONGEST_PAUSE_SECONDS, PictureBudget

PICTURE, SOUND = 1_500_000, 52_000
LOOK_SECONDS = 0.25
HANDSHAKE_LOOKS, TRIAL_LOOKS = 4, 4


class Link:
    """So wide, and the sources that come through it, each with its sound and perhaps its picture; another
    session takes a second, and one with a picture another second on trial.
    """

    def __init__(
        self, bits_per_second: float, sources: int, handshake_looks: int = HANDSHAKE_LOOKS
    ) -> None:
        self._handshake_looks = handshake_looks
        self.changes = 0
        self.bits_per_second = bits_per_second
        self.sources = sources
        self.pictures = self._wanted = sources
        self.now_seconds = 0.0
        self.drowned_seconds = 0.0
        self._changing_looks = 0
        self._budget = PictureBudget()

    def run(self, seconds: int) -> int:
        """How many pictures there are in the end."""
        for _ in range(round(seconds / LOOK_SECONDS)):
            self._look()
        return self.pictures

    def _look(self) -> None:
        changing = self.pictures != self._wanted
        self._changing_looks = self._changing_looks + 1 if changing else 0
        more = self._wanted > self.pictures
        on_trial = more and self._changing_looks > self._handshake_looks
        loss = self._loss(self._wanted if on_trial else self.pictures)
        self.drowned_seconds += LOOK_SECONDS * (loss > 0.05)
        self.now_seconds += LOOK_SECONDS
        if on_trial and loss > 0.05:
            self._budget.fail_trial(self.now_seconds)
        elif self._changing_looks >= self._handshake_looks + TRIAL_LOOKS * more:
            self.pictures = self._wanted
        losses = [self._loss(self.pictures)] * self.sources
        before = self._wanted
        self._wanted = self._budget.update(
            losses, self.sources, self.now_seconds, changing=self.pictures != self._wanted
        )
        self.changes += self._wanted != before

    def _loss(self, pictures: int) -> float:
        sent = self.sources * SOUND + pictures * PICTURE
        return max(0.0, 1 - self.bits_per_second / sent)


def test_a_wide_link_carries_all() -> None:
    assert Link(10_000_000, 4).run(60) == 4


def test_sound_that_takes_long_to_come_alone_is_waited_for() -> None:
    link = Link(500_000, 1, handshake_looks=60)
    assert link.run(20) == 0
    assert link.changes == 1


def test_a_narrow_link_keeps_the_sound_and_loses_little_of_it_by_trials() -> None:
    link = Link(100_000, 1)
    assert link.run(5) == 0
    link.run(600)
    link.drowned_seconds = 0
    link.run(3600)
    assert link.drowned_seconds < 0.01 * 3600


def test_of_several_sources_as_many_pictures_stay_as_fit() -> None:
    assert Link(3_500_000, 4).run(12) == 2


def test_the_picture_is_back_within_15_seconds_of_a_minutes_cut() -> None:
    for seconds in range(4, 70):
        link = Link(100_000, 1)
        link.run(seconds)
        link.bits_per_second = 10_000_000
        back = next(second for second in range(1, 60) if link.run(1) == 1)
        assert back <= 11, f"{seconds} s, and its rate is known 4 s later"


def test_after_the_longest_cut_it_is_back_all_the_same() -> None:
    link = Link(100_000, 3)
    link.run(3600)
    link.bits_per_second = 10_000_000
    assert link.run(int(LONGEST_PAUSE_SECONDS) + 40) == 3


def test_a_bad_radio_and_one_bad_source_cost_no_picture() -> None:
    budget = PictureBudget()
    for second in range(120):
        assert budget.update([0.08, 0.6, 0.05], 3, second) == 3


def test_a_source_that_adapts_within_a_second_keeps_its_picture() -> None:
    losses = [0.6] * 5 + [0.0] * 4 + [0.6] * 5
    budget = PictureBudget()
    looks = enumerate(losses)
    assert {budget.update([loss], 1, look / 4, adapts=True) for look, loss in looks} == {1}
    assert budget.update([0.6], 1, 4.0, adapts=True) == 0, "it does not"
    budget = PictureBudget()
    assert [budget.update([0.6], 1, look / 4) for look in range(3)] == [1, 1, 0], "nor can it"
