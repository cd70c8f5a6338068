"""The words on the screen follow the links and the microphone."""

from __future__ import annotations

from agent.media.picture.notice import UPLINK, Notice


def test_the_line_says_joining_then_nothing_then_reconnecting() -> None:
    said: list[str] = []
    notice = Notice("vi", "Giao ban", said.append)
    notice.link(UPLINK, "connecting")
    notice.link("a", "connecting")
    notice.link(UPLINK, "flowing")
    assert said == ["Đang vào cuộc họp Giao ban…"]
    notice.link("a", "flowing")
    notice.link("a", "stalled")
    notice.link("a", "flowing")
    assert said[1:] == ["", "Mất kết nối, đang nối lại…", ""]


def test_a_muted_room_is_told_so_while_all_else_is_well() -> None:
    said: list[str] = []
    notice = Notice("en", "m", said.append)
    notice.muted(True)
    notice.link(UPLINK, "flowing")
    notice.muted(False)
    notice.link(UPLINK, "unreachable")
    notice.muted(True)
    assert said == ["Microphone muted", "", "Connection lost, reconnecting…"]


def test_people_are_told_that_they_are_recorded() -> None:
    said: list[str] = []
    notice = Notice("en", "m", said.append)
    notice.link(UPLINK, "flowing")
    notice.recorded(True)
    notice.muted(True)
    notice.recorded(False)
    assert said == ["Being recorded", "Being recorded · Microphone muted", "Microphone muted"]


def test_pictures_given_up_are_no_riddle() -> None:
    said: list[str] = []
    notice = Notice("en", "m", said.append)
    notice.link("a", "flowing")
    notice.narrow(True)
    notice.muted(True)
    notice.narrow(False)
    assert said == [
        "Weak link, some pictures are left out",
        "Microphone muted · Weak link, some pictures are left out",
        "Microphone muted",
    ]


def test_one_of_two_sources_is_enough_and_a_source_taken_away_is_not_missed() -> None:
    notice = Notice("en", "m", lambda text: None)
    notice.link("a", "flowing")
    notice.link("b", "stalled")
    assert notice.text() == ""
    notice.link("a", "stalled")
    assert "reconnecting" in notice.text()
    notice.gone("a")
    notice.link("b", "flowing")
    assert notice.text() == ""
