"""When the link checks itself, and when it gives itself up."""

from __future__ import annotations

from agent.hub.self_check import SelfCheck


def test_a_check_that_returns_is_measured_and_the_next_one_is_due_before_the_keepalive() -> None:
    check = SelfCheck("s1", keepalive_seconds=30)
    payload = check.send(now=100.0)
    assert payload is not None
    assert check.send(now=101.0) is None, "one at a time"
    assert check.returned(payload, now=100.25) == 250
    assert 100 < check.due_at() < 130
    assert check.send(check.due_at()) not in (None, payload)


def test_a_hub_that_stops_right_after_a_check_is_noticed_within_one_and_a_half_keepalives() -> None:
    check = SelfCheck("s1", keepalive_seconds=30)
    payload = check.send(now=0.0)
    assert payload is not None
    check.returned(payload, now=0.0)
    check.send(check.due_at())
    assert not check.overdue(check.due_at() - 0.1)
    assert check.overdue(check.due_at())
    assert check.due_at() < 45


def test_an_earlier_connections_check_counts_for_nothing() -> None:
    old = SelfCheck("s1", keepalive_seconds=30).send(now=0.0)
    check = SelfCheck("s2", keepalive_seconds=30)
    check.send(now=0.0)
    assert old is not None
    assert check.returned(old, now=0.1) is None
    assert check.overdue(now=20.0)
