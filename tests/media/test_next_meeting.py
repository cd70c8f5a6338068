"""What stands beneath the room's name between meetings, by the clock on the same screen."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone

import pytest

from agent import locale
from agent.core.model.announcement import LookAhead, MeetingSoon, NextMeeting, RoomVerdict
from agent.media.picture.announcing import lines

EVENING = datetime(2026, 11, 29, 22, 0, tzinfo=timezone(timedelta(hours=7)))
MORNING = datetime(2026, 11, 30, 0, 15, tzinfo=UTC)
"""07:15 in the room, on the day after."""


@pytest.fixture(autouse=True)
def vietnamese() -> Iterator[None]:
    locale.use("vi")
    yield
    locale.use("en")


@pytest.mark.parametrize(
    ("hours", "when"),
    [(0, "Ngày mai lúc 07:15"), (3, "Hôm nay lúc 07:15"), (-24, "Ngày 30.11 lúc 07:15")],
)
def test_the_day_is_as_people_say_it(hours: float, when: str) -> None:
    coming = LookAhead(NextMeeting("Giao ban", MORNING), RoomVerdict(is_ready=True))
    said = lines(coming, EVENING + timedelta(hours=hours))
    assert said == ["Họp tiếp theo: Giao ban", when, "Phòng đã sẵn sàng"]


@pytest.mark.parametrize(
    ("code", "seen", "shown"),
    [
        ("camera-black", "mean brightness 2 of 255", "Camera không thấy gì: "),
        ("media-server-silent", "no answer yet", "Cần xem lại: chưa có trả lời"),
        ("hub-down", "", "Cần xem lại: hub-down"),
    ],
)
def test_a_fault_is_said_in_the_rooms_language_with_what_to_look_at(
    code: str, seen: str, shown: str
) -> None:
    verdict = RoomVerdict(fault=seen, fault_code=code)
    (said,) = lines(LookAhead(verdict=verdict), EVENING)
    assert said.startswith(shown)
    before = MeetingSoon("Giao ban", "07:15", verdict=verdict)
    assert lines(before)[-1] == said
