"""The screen's own word on whether its machine keeps up: pure arithmetic over what is wanted and shown."""

from __future__ import annotations

from agent.media.picture.strain import Strain


class Watching:
    """A screen at 30 pictures a second that shows a share of them; looked at twice a second."""

    def __init__(self) -> None:
        self.strain = Strain()
        self.now = 100.0

    def watch(self, share: float, seconds: float) -> bool:
        for _ in range(int(2 * seconds)):
            self.now += 0.5
            self.strain.update(15.0, round(15 * share), self.now)
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


def test_one_that_cannot_keep_up_even_so_stays_overloaded() -> None:
    screen = Watching()
    assert screen.watch(0.5, 300)


def test_nothing_wanted_is_nothing_missed() -> None:
    strain = Strain()
    for second in range(60):
        strain.update(0.0, 0, float(second))
    assert not strain.overloaded
