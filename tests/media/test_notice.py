"""The words on the screen follow the links, the microphone, the devices and the floor."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agent import locale
from agent.core.model.documents import DeviceStatus, FloorState, Status
from agent.media.picture.notice import LINES, UPLINK, Notice

HEARD = "You are heard"


@pytest.fixture
def vietnamese() -> Iterator[None]:
    locale.use("vi")
    yield
    locale.use("en")


def in_meeting(said: list[str]) -> Notice:
    notice = Notice("Giao ban", said.append)
    notice.link(UPLINK, "flowing")
    notice.link("a", "flowing")
    said.clear()
    return notice


def test_it_says_joining_then_whether_the_room_is_heard_then_reconnecting(vietnamese: None) -> None:
    said: list[str] = []
    notice = Notice("Giao ban", said.append)
    notice.link(UPLINK, "connecting")
    notice.link("a", "connecting")
    notice.link(UPLINK, "flowing")
    assert said == ["Đang vào cuộc họp Giao ban…"]
    notice.link("a", "flowing")
    notice.muted(False)
    notice.link("a", "stalled")
    assert said[1:] == ["", "Mọi người đang nghe phòng này", "Mất kết nối, đang nối lại…"]


def test_two_kinds_of_muted_are_two_things_to_do() -> None:
    said: list[str] = []
    notice = in_meeting(said)
    notice.muted(True)
    notice.muted(True, by_hand=True)
    notice.muted(False)
    assert said == ["Muted by the chair", "Muted by your button: press it to speak", HEARD]


def test_people_are_told_that_they_are_recorded_whatever_else_there_is_to_say() -> None:
    said: list[str] = []
    notice = in_meeting(said)
    notice.muted(False)
    notice.recorded(True)
    notice.narrow(True)
    notice.device("camera", fault("black"))
    assert all(text.endswith("Being recorded") for text in said[1:])
    assert all(len(text.splitlines()) <= LINES + 1 for text in said)


@pytest.mark.parametrize(
    ("kind", "code", "sentence"),
    [
        (
            "microphone",
            "dead",
            "Nobody hears the microphone: look at its mute switch and its cable",
        ),
        ("microphone", "absent", "The microphone does not work: look at its cable"),
        ("camera", "black", "The camera sees nothing: open its cover, switch the light on"),
        ("camera", "stalled", "The camera does not work: look at its cable"),
        ("speaker", "stalled", "The loudspeaker does not work: look at its cable and power"),
    ],
)
def test_a_device_at_fault_is_said_first_with_what_to_look_at(
    kind: str, code: str, sentence: str
) -> None:
    said: list[str] = []
    notice = in_meeting(said)
    notice.muted(False)
    notice.device(kind, fault(code))
    assert said[-1] == sentence.replace(": ", ":\n") + f"\n{HEARD}"
    notice.device(kind, DeviceStatus(Status.OK, "ok", ""))
    assert said[-1] == HEARD


def test_the_floor_goes_before_the_mute() -> None:
    said: list[str] = []
    notice = in_meeting(said)
    notice.muted(True)
    notice.floor(FloorState("request"))
    notice.floor(FloorState("request", hand_since=datetime.now(UTC)))
    notice.floor(FloorState("request", hand_since=datetime.now(UTC), position=3))
    notice.floor(FloorState("request", held=True))
    notice.muted(False)
    assert said[1:] == [
        "Press the button to ask for the floor",
        "Hand raised",
        "Hand raised, number 3 in the queue",
        "This room has the floor\nMuted by the chair",
        "This room has the floor",
    ]


def test_one_of_two_sources_is_enough_and_a_source_taken_away_is_not_missed() -> None:
    notice = Notice("m", lambda text: None)
    notice.link("a", "flowing")
    notice.link("b", "stalled")
    assert notice.text() == ""
    notice.link("a", "stalled")
    assert "reconnecting" in notice.text()
    notice.gone("a")
    notice.link("b", "flowing")
    assert notice.text() == ""


def fault(code: str) -> DeviceStatus:
    return DeviceStatus(Status.FAILED, code, "Camera: the driver's text")
