"""Lost packets are sent again, but never so many that they choke the link."""

from __future__ import annotations

from agent.media.retransmission import BURST, PER_SECOND, RetransmissionBudget


def permitted(budget: RetransmissionBudget, per_second: int, seconds: int) -> int:
    times = (n / per_second for n in range(per_second * seconds))
    return sum(budget.permit(1000 + at) for at in times)


def test_all_that_a_bad_radio_loses_is_sent_again() -> None:
    assert permitted(RetransmissionBudget(), 15, 60) == 15 * 60


def test_a_storm_of_requests_is_cut_down() -> None:
    assert permitted(RetransmissionBudget(), 3000, 10) <= PER_SECOND * 10 + BURST + 1


def test_a_burst_after_calm_is_served() -> None:
    budget = RetransmissionBudget()
    assert all(budget.permit(1000.0) for _ in range(int(BURST)))
    assert not budget.permit(1000.0)
    assert budget.permit(1001.0)
