"""Lost packets are sent again, but never so many that they choke the link."""

from __future__ import annotations

from agent.media.sending.retransmission import (
    BITS_PER_PACKET,
    RetransmissionBudget,
    SuddenLoss,
)

FULL_PER_SECOND = 1_500_000 / BITS_PER_PACKET
NARROW = 200_000


def permitted(budget: RetransmissionBudget, per_second: int, seconds: int) -> int:
    times = (n / per_second for n in range(per_second * seconds))
    return sum(budget.permit(1000 + at) for at in times)


def test_all_that_a_bad_radio_loses_is_sent_again() -> None:
    assert permitted(RetransmissionBudget(FULL_PER_SECOND), 40, 60) == 40 * 60


def test_a_storm_of_requests_is_cut_down() -> None:
    assert permitted(RetransmissionBudget(FULL_PER_SECOND), 3000, 10) <= 75 * 11 + 1


def test_a_smaller_picture_leaves_less_for_it() -> None:
    budget = RetransmissionBudget(FULL_PER_SECOND)
    budget.follow(NARROW)
    assert permitted(budget, 3000, 10) <= NARROW / BITS_PER_PACKET * 11 + 75


def test_a_burst_after_calm_is_served() -> None:
    budget = RetransmissionBudget(FULL_PER_SECOND)
    assert all(budget.permit(1000.0) for _ in range(75))
    assert not budget.permit(1000.0)
    assert budget.permit(1001.0)


def sudden(lost_per_second: int, times_asked: int = 1) -> bool:
    """Whether two seconds of such loss are taken for a link that has become narrow."""
    watch, number, found = SuddenLoss(), 0, False
    for millisecond in range(2000):
        if millisecond * lost_per_second // 1000 > number:
            number += 1
            for _ in range(times_asked):
                found = watch.asked(1, number, millisecond / 1000) or found
    return found


def test_a_link_that_was_cut_is_known_by_the_requests() -> None:
    assert sudden(150)


def test_a_bad_radio_is_not_taken_for_it_however_often_a_server_asks() -> None:
    assert not sudden(20, times_asked=10)
