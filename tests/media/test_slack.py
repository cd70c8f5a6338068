"""Sound waits before the mixer for a busy machine and a jerky network, and only while it has to."""

from __future__ import annotations

from agent.media.sound.slack import LONGEST_NANOSECONDS, LOOKS_A_SECOND, Slack

MILLISECOND = 1_000_000
LATE_PER_LOOK = 5


def seconds_late(slack: Slack, needed: int, seconds: int) -> list[int]:
    """In which seconds sound was late that needs so much, with sources moved at the end of each."""
    late_seconds = []
    for second in range(seconds):
        late = needed > slack.nanoseconds
        for _ in range(LOOKS_A_SECOND):
            slack.look([needed] * LATE_PER_LOOK if late else [])
        if late:
            late_seconds.append(second)
    return late_seconds


def test_what_comes_too_late_is_waited_for_at_once_and_by_no_more_than_it_needs() -> None:
    slack = Slack()
    assert seconds_late(slack, 150 * MILLISECOND, 3) == [0]
    assert 150 * MILLISECOND <= slack.nanoseconds < 180 * MILLISECOND


def test_a_shorter_wait_is_tried_ever_more_rarely() -> None:
    slack = Slack()
    late = seconds_late(slack, 150 * MILLISECOND, 1200)
    assert late[1] > 20
    assert len(late) <= 7


def test_a_growing_delay_is_followed() -> None:
    slack = Slack()
    late = [second for ms in (50, 120, 260) for second in seconds_late(slack, ms * MILLISECOND, 5)]
    assert len(late) <= 6
    assert slack.nanoseconds >= 260 * MILLISECOND


def test_two_late_buffers_in_a_second_are_a_chance() -> None:
    slack = Slack()
    for _ in range(60):
        slack.look([90 * MILLISECOND, 10 * MILLISECOND])
        slack.look([])
    assert slack.nanoseconds == 0


def test_it_is_never_longer_than_people_bear_and_ends_when_all_is_in_time_again() -> None:
    slack = Slack()
    slack.look([900 * MILLISECOND] * LATE_PER_LOOK)
    assert slack.nanoseconds == LONGEST_NANOSECONDS
    for _ in range(600 * LOOKS_A_SECOND):
        slack.look([])
    assert slack.nanoseconds == 0
