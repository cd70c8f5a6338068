"""The delay of received media grows when packets are missed and shrinks when none are."""

from __future__ import annotations

from agent.media.webrtc.jitter import LONGEST_MILLISECONDS, Arrivals, JitterControl


def test_it_stays_low_while_all_is_well() -> None:
    control = JitterControl(60)
    assert {control.look(Arrivals()) for _ in range(60)} == {60}


def test_loss_raises_it_within_two_seconds_to_the_longest() -> None:
    control = JitterControl(60)
    assert control.look(Arrivals(lost=1)) == 300
    assert control.look(Arrivals(lost=2)) == LONGEST_MILLISECONDS
    assert control.look(Arrivals(lost=9)) == LONGEST_MILLISECONDS


def test_late_packets_raise_it_too() -> None:
    assert JitterControl(60).look(Arrivals(late=1)) == 300


def test_repairs_in_time_keep_it_where_it_is() -> None:
    control = JitterControl(60)
    control.look(Arrivals(lost=1))
    assert {control.look(Arrivals(lost=1, requested=n)) for n in range(1, 60)} == {300}


def test_calm_brings_it_down_again_slowly_to_the_setting() -> None:
    control = JitterControl(60)
    control.look(Arrivals(lost=1))
    delays = [control.look(Arrivals(lost=1)) for _ in range(90)]
    assert delays[18] == 300, "not at once"
    assert delays == sorted(delays, reverse=True)
    assert delays[-1] == 60


def test_a_setting_above_the_longest_is_kept() -> None:
    control = JitterControl(1000)
    assert control.look(Arrivals(lost=5)) == 1000
