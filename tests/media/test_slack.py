"""Sound waits before the mixer for a machine that is busy, and only while it is."""

from __future__ import annotations

from agent.media.sound.slack import LONGEST_NANOSECONDS, Slack

LATE_PER_SECOND = 30


def test_what_comes_too_late_is_waited_for_within_seconds() -> None:
    slack, late, needed, late_seconds = Slack(), 0, 150_000_000, []
    for second in range(600):
        if slack.nanoseconds < needed:
            late += LATE_PER_SECOND
            late_seconds.append(second)
        slack.second(late)
    assert late_seconds[:4] == [0, 1, 2, 3]
    assert late_seconds[4] > 20, "it holds before it tries a shorter one"
    assert len(late_seconds) <= 10, "and tries ever more rarely"
    assert needed <= slack.nanoseconds + LONGEST_NANOSECONDS / 16


def test_one_late_buffer_is_a_chance() -> None:
    slack = Slack()
    for second in range(60):
        slack.second(second // 10)
    assert slack.nanoseconds == 0


def test_it_ends_when_the_machine_has_time_again() -> None:
    slack = Slack()
    for second in range(10):
        slack.second(second * LATE_PER_SECOND)
    assert slack.nanoseconds == LONGEST_NANOSECONDS
    for _ in range(600):
        slack.second(9 * LATE_PER_SECOND)
    assert slack.nanoseconds == 0
