"""Delays grow, are capped, and differ from room to room."""

from __future__ import annotations

from agent.hub.backoff import CAP_SECONDS, REFUSED_CAP_SECONDS, Backoff


def delays(chance: float, *, refused: bool) -> list[float]:
    backoff = Backoff(lambda: chance)
    return [backoff.next_seconds(refused=refused) for _ in range(12)]


def test_they_double_up_to_the_cap() -> None:
    assert delays(0.0, refused=False)[:4] == [1, 2, 4, 8]
    assert delays(0.0, refused=False)[-1] == CAP_SECONDS


def test_a_refusal_is_not_hammered() -> None:
    assert delays(0.0, refused=True)[:3] == [15, 30, 60]
    assert delays(0.0, refused=True)[-1] == REFUSED_CAP_SECONDS
    assert min(delays(1.0, refused=True)) >= 3 - 1e-9


def test_chance_spreads_the_rooms_over_most_of_the_delay() -> None:
    longest, shortest = delays(0.0, refused=False)[5], delays(1.0, refused=False)[5]
    assert shortest < 0.25 * longest


def test_a_link_that_worked_starts_anew() -> None:
    backoff = Backoff(lambda: 0.0)
    for _ in range(5):
        backoff.next_seconds(refused=False)
    backoff.reset()
    assert backoff.next_seconds(refused=False) == 1
