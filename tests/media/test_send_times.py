"""How old a packet is, by looks at what was sent last."""

from __future__ import annotations

import pytest

from agent.media.sending.send_times import SendTimes


def sound(first: int) -> SendTimes:
    """Fifty packets a second for two seconds, looked at four times a second."""
    times = SendTimes()
    for quarter in range(9):
        times.update((first + quarter * 25 // 2) & 0xFFFF, quarter / 4)
    return times


@pytest.mark.parametrize("first", [0, 1000, 65_500])
def test_the_age_of_a_packet_is_the_time_since_it_was_sent(first: int) -> None:
    assert sound(first).age((first + 50) & 0xFFFF, 2.0) == pytest.approx(1.0, abs=0.03)
    assert sound(first).age((first + 100) & 0xFFFF, 2.1) == pytest.approx(0.1, abs=0.03)


def test_what_is_not_remembered_has_no_age() -> None:
    assert sound(5000).age(4000, 2.0) is None
    assert sound(5000).age(5200, 2.0) is None
    assert SendTimes().age(0, 1.0) is None


def test_the_newest_packet_of_a_stream_that_pauses_does_not_age() -> None:
    times = SendTimes()
    times.update(5, 0.5)
    times.update(7, 1.0)
    times.update(7, 2.0)
    assert times.age(7, 3.0) == 1.0
