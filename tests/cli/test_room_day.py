"""What `diemcau agenda` in a room prints beside the meetings: why it is not in one, and whether it is ready."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from agent import locale
from agent.cli.room_day import readiness_text, standing_text
from agent.core.model.commands import AckState
from agent.core.model.documents import CheckFinding, Phase
from agent.core.model.effects import SendAck, StartCheck
from agent.core.model.events import CheckEnded, HostSampled
from agent.core.model.local_queries import Standing
from agent.core.model.room_status import HubLinkStatus, RoomStatus
from tests.core.playbook import HOST
from tests.core.test_agenda import Day, item


@pytest.fixture(params=["en", "vi"])
def language(request: pytest.FixtureRequest) -> Iterator[str]:
    locale.use(request.param)
    yield request.param
    locale.use("en")


def status(day: Day) -> RoomStatus:
    day.tell(HostSampled(HOST))
    failed = [ack for ack in [one.ack for one in day.all(SendAck)] if ack.state is AckState.FAILED]
    return RoomStatus(
        day.state,
        day.room.health.latest,
        HubLinkStatus(up=True),
        failed_join=(failed or [None])[-1],
    )


def standing(day: Day, name: str = "a") -> Standing | None:
    return day.room.agenda.standings(day.now).get(name)


def said(day: Day, name: str = "a") -> str:
    return standing_text(standing(day, name), status(day))


def test_nothing_is_said_of_what_is_to_come_or_cancelled() -> None:
    day = Day(item(), item("b", 5, 30, cancelled=True))
    day.until(10)
    assert (said(day), said(day, "b")) == ("", "")


def test_it_is_in_and_then_left_by_hand(language: str) -> None:
    day = Day(item())
    day.until(61)
    assert said(day) == {"en": "the room is in it", "vi": "phòng đang họp cuộc này"}[language]
    day.command("leave")
    day.settle()
    left = {"en": "left by hand: not joined again", "vi": "đã rời bằng tay: không vào lại"}
    assert said(day) == left[language]


def test_it_is_elsewhere(language: str) -> None:
    day = Day(item())
    day.until(50)
    day.join()
    day.until(62)
    assert standing(day) == "elsewhere"
    assert "giao-ban" in said(day)


@pytest.mark.parametrize("ring", [False, True])
def test_its_joins_fail(language: str, ring: bool) -> None:
    day = Day(item(ring=ring))
    day.until(57)
    while day.seconds < 63 * 60:
        day.wait(1)
        if day.room.taking_part.call.ringing:
            assert standing(day) is None, "it only rings"
        if day.phase is Phase.LEAVING:
            day.exit("")
    assert day.phase in (Phase.STANDBY, Phase.JOINING)
    while day.phase is not Phase.STANDBY:
        day.wait(1)
        if day.phase is Phase.LEAVING:
            day.exit("")
    assert standing(day) == "failing"
    assert {"en": "tried again by itself: ", "vi": "máy tự thử lại: "}[language] in said(day)


def test_whether_it_is_ready(language: str) -> None:
    day = Day()
    words = {
        "en": (
            "not checked yet",
            "is not ready",
            "The camera's picture is black",
            "The room is ready",
        ),
        "vi": ("chưa kiểm tra", "chưa sẵn sàng", "Hình của camera bị đen", "Phòng đã sẵn sàng"),
    }[language]
    assert words[0] in readiness_text(status(day))
    black = CheckFinding("camera", "camera-black", "failed", "mean brightness 2 of 255")
    for findings in ([black], []):
        day.command("check", sound="off")
        day.tell(CheckEnded(day.all(StartCheck)[-1].number, findings, complete=True))
        shown = readiness_text(status(day))
        assert all(word in shown for word in (words[1:3] if findings else words[3:]))
    day.wait(5 * 3600)
    assert words[3] not in readiness_text(status(day))
