"""Sound waits before the mixer for a busy machine and a jerky network, and only while it has to."""

from __future__ import annotations

from agent.media.sound.slack import (
    FULL_NANOSECONDS,
    LONGEST_NANOSECONDS,
    SHRINKING_SECONDS,
    STEP_NANOSECONDS,
    Slack,
)

MILLISECOND = 1_000_000
PERIOD_SECONDS = 0.02


class Heard:
    """Sound in periods of 20 ms through the mixer of one source."""

    def __init__(self) -> None:
        self.slack = Slack()
        self.late_seconds: list[float] = []
        self.now = 0.0

    def play(self, seconds: float, *needed_milliseconds: float) -> None:
        """Each period needs one of these in turn."""
        for index in range(round(seconds / PERIOD_SECONDS)):
            self.period(needed_milliseconds[index % len(needed_milliseconds)], PERIOD_SECONDS)

    def period(self, needed_milliseconds: float, since_last_seconds: float) -> None:
        self.now += since_last_seconds
        needed = int(needed_milliseconds * MILLISECOND)
        if needed > self.slack.nanoseconds:
            self.late_seconds.append(self.now)
            self.slack.late(needed, self.now)
        self.slack.tick(self.now)

    @property
    def waits_milliseconds(self) -> float:
        return self.slack.nanoseconds / MILLISECOND


def test_what_comes_too_late_is_waited_for_at_once_and_by_no_more_than_it_needs() -> None:
    heard = Heard()
    heard.play(3, 150)
    assert len(heard.late_seconds) == 3
    assert 150 <= heard.waits_milliseconds < 180


def test_a_queue_that_fills_is_waited_for_as_if_it_were_full() -> None:
    """A link cut from 1.5 Mbit/s to 500 kbit/s: 20 ms of all that is sent take 60 ms."""
    heard = Heard()
    heard.play(2, 0)
    for needed in range(40, 330, 40):
        heard.period(needed, 0.06)
    heard.play(5, 330)
    assert len(heard.late_seconds) == 3
    assert heard.slack.nanoseconds == FULL_NANOSECONDS


def test_what_a_busy_machine_held_up_is_no_queue() -> None:
    heard = Heard()
    for _ in range(5):
        heard.play(1, 0)
        for needed in (160, 140, 120, 100, 80, 60):
            heard.period(needed, 0.001)
    assert 120 <= heard.waits_milliseconds <= 160


def test_a_shorter_wait_is_tried_ever_more_rarely() -> None:
    heard = Heard()
    heard.play(1200, 150)
    mishaps = {int(second) for second in heard.late_seconds}
    assert min(mishaps - {0}) >= 20
    assert len(mishaps) <= 7


def test_a_growing_delay_is_followed() -> None:
    heard = Heard()
    for needed in (50, 80, 110):
        heard.play(5, needed)
    assert len(heard.late_seconds) <= 9
    assert 110 <= heard.waits_milliseconds < 140


def test_two_late_periods_in_a_second_are_a_chance() -> None:
    heard = Heard()
    for _ in range(60):
        heard.play(1, 0)
        heard.period(90, PERIOD_SECONDS)
        heard.period(100, PERIOD_SECONDS)
    assert heard.slack.nanoseconds == 0


def test_it_is_never_longer_than_people_bear_and_ends_when_all_is_in_time_again() -> None:
    heard = Heard()
    heard.play(1, 900)
    assert heard.slack.nanoseconds == LONGEST_NANOSECONDS
    steps = LONGEST_NANOSECONDS // STEP_NANOSECONDS
    heard.play(21 + SHRINKING_SECONDS * steps, 0)
    assert heard.slack.nanoseconds == 0


def test_it_says_when_it_has_grown() -> None:
    slack = Slack()
    assert [slack.late(90 * MILLISECOND, at) for at in (0.1, 0.2, 0.3)] == [False, False, True]
    assert not slack.late(70 * MILLISECOND, 0.4)


def test_a_new_source_begins_with_what_others_need_and_gets_over_it() -> None:
    slack = Slack()
    slack.expect(400_000_000, 1000.0)
    slack.tick(1001.0)
    assert slack.nanoseconds == 400_000_000
    for second in range(1000, 1200):
        slack.tick(float(second))
    assert slack.nanoseconds < 100_000_000
