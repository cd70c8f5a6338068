"""The delay of received media grows when packets are missed and shrinks when none are."""

from __future__ import annotations

from agent.media.receiving.jitter import LONGEST_MILLISECONDS, JitterControl
from agent.media.webrtc.jitter_buffers import Arrivals


class Looks:
    """A look at the counters five times a second."""

    def __init__(self, floor: int = 60) -> None:
        self.control = JitterControl(floor, 0.0)
        self._now = 0.0

    def update(self, arrivals: Arrivals, seconds: float = 0.2) -> list[int]:
        """The same ones for so long: the delays."""
        delays = []
        for _ in range(round(seconds * 5)):
            self._now += 0.2
            delays.append(self.control.update(arrivals, self._now))
        return delays


def test_it_stays_low_while_all_is_well() -> None:
    assert set(Looks().update(Arrivals(), 60.0)) == {60}


def test_loss_raises_it_at_once_and_within_three_seconds_to_the_longest() -> None:
    looks = Looks()
    assert looks.update(Arrivals(lost=1)) == [300]
    delays = [looks.update(Arrivals(lost=count))[0] for count in range(2, 17)]
    assert delays[:10] == [300] * 10, "what was on its way already tells nothing"
    assert delays[-1] == LONGEST_MILLISECONDS
    assert looks.update(Arrivals(lost=99), 1.0)[-1] == LONGEST_MILLISECONDS


def test_late_packets_raise_it_too() -> None:
    assert Looks().update(Arrivals(late=1)) == [300]


def test_repairs_in_time_keep_it_where_it_is() -> None:
    looks = Looks()
    looks.update(Arrivals(lost=1))
    assert {looks.update(Arrivals(lost=1, requested=n))[0] for n in range(1, 300)} == {300}


def test_calm_brings_it_down_again_slowly_to_the_setting() -> None:
    looks = Looks()
    looks.update(Arrivals(lost=1))
    delays = looks.update(Arrivals(lost=1), 90.0)
    assert delays[18 * 5] == 300, "not at once"
    assert delays == sorted(delays, reverse=True)
    assert delays[-1] == 60


def test_a_session_that_takes_over_behind_a_queue_does_not_make_it_longer() -> None:
    looks = Looks()
    looks.update(Arrivals(lost=7), 10.0)
    looks.control.go_on(Arrivals(lost=40), 10.0)
    assert set(looks.update(Arrivals(lost=45), 2.0)) == {300}, "lost while that queue goes"
    assert looks.update(Arrivals(lost=45), 1.0)[-1] == 300
    assert looks.update(Arrivals(lost=46))[-1] > 300


def test_another_session_on_the_same_link_begins_with_what_was_learned() -> None:
    looks = Looks()
    looks.update(Arrivals(lost=7))
    looks.control.begin(10.0)
    assert looks.control.update(Arrivals(), 10.2) == 300


def test_a_setting_above_the_longest_is_kept() -> None:
    assert Looks(1000).update(Arrivals(lost=5)) == [1000]


def test_a_new_source_begins_with_what_others_needed_and_gets_over_it() -> None:
    control = JitterControl(60, 0.0)
    control.expect(400, 0.0)
    assert control.milliseconds == 400
    for second in range(120):
        control.update(Arrivals(), float(second))
    assert control.milliseconds == 60
    control.expect(30, 120.0)
    assert control.milliseconds == 60, "never shorter than its own"
