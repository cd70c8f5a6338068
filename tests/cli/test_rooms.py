"""`diemcau rooms` and `diemcau meeting` on a terminal of 80 columns and 24 lines, with a hub of 212 rooms."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from msgspec.structs import replace
from rich.console import Console

from agent.cli import meeting_lines, rooms
from agent.conductor.core.model.acts import Mode
from agent.conductor.core.model.views import MeetingView, MessageView, RoomView, RosterRow

WIDTH, HEIGHT = 80, 24
FAULT = (
    "the camera's cable is loose: unplug the power, push the connector home, and plug it in again"
)


def room(
    number: int, severity: int = 0, name: str = "Ủy ban nhân dân xã Đất Mũi, huyện Ngọc Hiển"
) -> RoomView:
    return RoomView(
        room=f"xa-{number:03}",
        name=name,
        groups=["huyen-ngoc-hien", "all"],
        version="1",
        connection="online",
        phase="in-meeting",
        meeting="giao-ban-thang-11",
        microphone="muted",
        camera="live",
        recording="off",
        readiness="no-go",
        level_dbfs=None,
        faults=[FAULT] * severity,
        severity=severity,
        hand=False,
        floor="",
    )


def heights(lines: list[object]) -> int:
    return sum(str(line).count("\n") + 1 for line in lines)


@pytest.mark.parametrize("trouble", ["", "10.0.0.1:8883 refuses connections: check hub.port"])
def test_the_screen_holds_the_worst_and_says_what_is_below(trouble: str) -> None:
    views = [room(number, severity=2 if number < 3 else 0) for number in range(212)]
    shown = rooms.screen(views, trouble, Console(width=WIDTH, height=HEIGHT))
    assert heights(shown) <= HEIGHT
    text = "\n".join(map(str, shown))
    assert max(map(len, text.split("\n"))) <= WIDTH
    assert "212 rooms · 3 not well" in text
    assert text.count("camera's cable") == 6
    assert "more lines" in shown[-1].plain
    assert trouble.partition(" ")[0] in text


def test_few_rooms_are_shown_whole() -> None:
    shown = rooms.screen([room(1), room(2)], "", Console(width=WIDTH, height=HEIGHT))
    assert len(shown) == 3
    assert "all well" in shown[0].plain


def test_a_camera_that_the_people_switched_off_is_no_fault_and_is_told() -> None:
    dark = replace(room(1), camera="off", camera_off_by_hand=True)
    shown = rooms.screen([dark, room(2)], "", Console(width=WIDTH, height=HEIGHT))
    assert "all well" in shown[0].plain
    assert [line.plain.strip() for line in shown].count("camera switched off in the room") == 1


def meeting(present: int, missing: int) -> MeetingView:
    statuses = ["silent"] * missing + ["present"] * present
    roster = [
        RosterRow(
            f"xa-{number:03}",
            f"Xã {number}",
            status,
            "",
            3 if status == "silent" else 1,
            None,
            False,
        )
        for number, status in enumerate(statuses)
    ]
    now = datetime.now(UTC)
    asked = MessageView("1", now, "ha", "Có mặt?", ["Có", "Vắng"], {"xa-001": "Có"})
    return MeetingView(
        1, "giao-ban", "Giao ban", Mode.CHAIR_GRANTS, "xa-211", now, "ha", now, None, "on", None, [], [], roster, [asked]
    )  # fmt: skip


def test_after_an_act_a_screen_is_enough_and_show_has_everybody() -> None:
    view = meeting(present=200, missing=20)
    brief = [str(line) for line in meeting_lines.lines(view, WIDTH, brief=True)]
    assert "200 of 220 rooms are there" in brief[0]
    assert sum("silent" in line for line in brief) == meeting_lines.BRIEF_ROWS
    assert any("diemcau meeting show giao-ban" in line for line in brief)
    whole = [str(line) for line in meeting_lines.lines(view, WIDTH)]
    assert sum("xa-" in line[:50] for line in whole) == 220
    assert max(len(part) for line in (*brief, *whole) for part in line.split("\n")) <= WIDTH


def test_a_roll_call_says_who_has_yet_to_answer() -> None:
    said = str(meeting_lines.lines(meeting(present=3, missing=0), WIDTH)[-1])
    assert "Có 1 · Vắng 0 · 2 rooms have not answered: Xã 0, Xã 2" in said
