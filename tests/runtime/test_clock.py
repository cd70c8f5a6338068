"""The room's clock: never before the last good time, and believed once NTP has set it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from agent.runtime.clock import SystemClock

TOLERANCE = timedelta(seconds=30)


def test_without_synchronisation_time_goes_on_from_the_last_good_time() -> None:
    future = datetime.now(UTC) + timedelta(days=3)  # as seen by a clock that starts in the past
    kept: list[datetime] = []
    clock = SystemClock(lambda: False, last_good=future, keep=kept.append)
    first, second = clock.now(), clock.now()
    assert not first.synchronised
    assert future <= first.wall <= second.wall < future + TOLERANCE
    clock.close()
    assert kept == [], "a clock that isn't good is not kept"


def test_an_old_last_good_time_does_not_hold_the_clock_back() -> None:
    clock = SystemClock(lambda: False, last_good=datetime(2020, 1, 1, tzinfo=UTC))
    assert abs(clock.now().wall - datetime.now(UTC)) < TOLERANCE


def test_a_synchronised_clock_is_believed_and_kept_now_and_at_the_end() -> None:
    kept: list[datetime] = []
    far = datetime.now(UTC) + timedelta(days=3)
    clock = SystemClock(lambda: True, last_good=far, keep=kept.append)
    for _ in range(100):
        assert clock.now().synchronised
        assert abs(clock.now().wall - datetime.now(UTC)) < TOLERANCE
    assert len(kept) == 1, "once an hour, since every time is a write to the SD card"
    clock.close()
    assert len(kept) == 2
