"""Lost packets are sent again, but never so many that they choke the link."""

from __future__ import annotations

from agent.media.retransmission import LEAST_PER_SECOND, RetransmissionBudget

FULL, NARROW = 1_500_000, 200_000


def permitted(budget: RetransmissionBudget, per_second: int, seconds: int) -> int:
    times = (n / per_second for n in range(per_second * seconds))
    return sum(budget.permit(1000 + at) for at in times)


def test_all_that_a_bad_radio_loses_is_sent_again() -> None:
    assert permitted(RetransmissionBudget(FULL), 40, 60) == 40 * 60


def test_a_storm_of_requests_is_cut_down() -> None:
    assert permitted(RetransmissionBudget(FULL), 3000, 10) <= 75 * 11 + 1


def test_a_smaller_picture_leaves_less_for_it() -> None:
    budget = RetransmissionBudget(FULL)
    budget.follow(NARROW)
    assert permitted(budget, 3000, 10) <= LEAST_PER_SECOND * 11 + 75


def test_a_burst_after_calm_is_served() -> None:
    budget = RetransmissionBudget(FULL)
    assert all(budget.permit(1000.0) for _ in range(75))
    assert not budget.permit(1000.0)
    assert budget.permit(1001.0)
