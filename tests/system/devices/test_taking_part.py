"""The room takes part by its button, its lamp and its loudspeaker: lines that a finger pulls, a lamp that an eye reads.

The tests are in the order of a meeting to which the room is called. Verdicts are of what happened and how often: how
quickly it does is measured on a machine that is not emulated (./scripts/bench).
"""

import time
from collections.abc import Callable

import pytest

from tests.support.broker import wait_until
from tests.support.sounds import share_of_time
from tests.system import hardware
from tests.system.devices.conftest import DEADLINE_SECONDS
from tests.system.host import keep_figure
from tests.system.room import FINAL, Room

BARS_HZ = (880.0, 659.3)
"""Of the chime of a call."""

STUCK_SECONDS = 2.0
TRIES = 3
"""For a double press: on a busy machine the second one may be noticed when its time is over."""

CALL = "call-the-room"


def told(room: Room, event: str) -> int:
    """How often the hub was told of this, once it has heard all that the room had to tell so far."""
    time.sleep(0.5)  # a contact settles within a tenth
    assert room.command("ping")["state"] == "succeeded"
    return len(room.hub.on(room.topic(f"event/{event}")))


def wait_for_event(room: Room, event: str, count: int) -> None:
    topic = room.topic(f"event/{event}")
    wait_until(
        lambda: len(room.hub.on(topic)) >= count, f"{event}, {count} times", DEADLINE_SECONDS
    )


def wait_for_lamp(gpio: hardware.Gpio, said: str) -> None:
    seen: list[str] = []

    def says() -> bool:
        seen.append(hardware.lamp_says(gpio))
        return seen[-1] == said

    wait_until(says, lambda: f"the lamp says {said}; it said {seen}", DEADLINE_SECONDS)


@pytest.fixture
def press(gpio: hardware.Gpio) -> Callable[..., None]:
    """Seconds and times of a press of the room's button."""
    return lambda *how: gpio.press(hardware.BUTTON, *how)


def test_a_call_is_heard_from_the_loudspeaker_and_seen_on_the_lamp(
    room: Room, gpio: hardware.Gpio
) -> None:
    call = {"meeting": {"id": "bao-so-5"}, "ring_seconds": 600, "then": "nothing", "volume": 100}
    sends = {"camera": "off", "play": [], "microphone": "live", "floor": "request"}
    ordered = {"id": CALL, "timeout_seconds": DEADLINE_SECONDS, **call, **sends}
    room.hub.send(room.topic("cmd/call"), ordered)
    wait_for_lamp(gpio, "called")

    def is_heard() -> bool:
        heard = hardware.hear("plughw:Loopback,1,1", 4)
        shares = [share_of_time(heard, hertz) for hertz in BARS_HZ]
        keep_figure("share of the time that the chime's two bars are heard", sum(shares))
        return min(shares) > 0.05

    wait_until(is_heard, "both bars of the chime from the loudspeaker", DEADLINE_SECONDS)
    assert room.state()["microphone"] == "off"


def test_a_press_answers_and_the_room_joins_unheard(
    room: Room, gpio: hardware.Gpio, press: Callable[..., None]
) -> None:
    press()
    ack = room.hub.wait_for(
        room.topic(f"ack/{CALL}"), lambda ack: ack["state"] in FINAL, DEADLINE_SECONDS
    ).document
    assert (ack["state"], ack["detail"]["answered"]) == ("succeeded", True), ack
    assert told(room, "call-answered") == 1
    wait_for_lamp(gpio, "muted")


def test_a_short_press_raises_the_hand(
    room: Room, gpio: hardware.Gpio, press: Callable[..., None]
) -> None:
    press()
    wait_for_event(room, "hand-raised", 1)
    wait_for_lamp(gpio, "hand")
    assert (told(room, "hand-raised"), told(room, "hand-lowered")) == (1, 0)


def test_a_bouncing_contact_is_one_press(room: Room, gpio: hardware.Gpio) -> None:
    gpio.press_bouncing(hardware.BUTTON)
    wait_for_event(room, "hand-lowered", 1)
    assert (told(room, "hand-raised"), told(room, "hand-lowered")) == (1, 1)


def test_a_stuck_button_is_one_press_until_it_comes_up(
    room: Room, press: Callable[..., None]
) -> None:
    """That it is in the health when it is down for two minutes is in tests/conformance, on these lines too."""
    press(STUCK_SECONDS)
    wait_for_event(room, "hand-raised", 2)
    assert (told(room, "hand-raised"), told(room, "hand-lowered")) == (2, 1)


def test_with_the_floor_it_mutes_and_a_long_press_gives_it_back(
    room: Room, gpio: hardware.Gpio, press: Callable[..., None]
) -> None:
    assert room.command("floor", state="given")["state"] == "succeeded"
    wait_for_lamp(gpio, "on")
    press()
    wait_until(lambda: room.state()["microphone"] == "muted", "muted by hand", DEADLINE_SECONDS)
    wait_for_lamp(gpio, "muted")
    press()
    wait_until(lambda: room.state()["microphone"] == "live", "live again", DEADLINE_SECONDS)
    press(STUCK_SECONDS)
    wait_for_event(room, "floor-returned", 1)
    wait_until(
        lambda: room.state()["microphone"] == "muted", "no floor, no voice", DEADLINE_SECONDS
    )
    assert told(room, "floor-returned") == 1


def test_a_double_press_is_the_second_answer_and_a_single_one_the_first(
    room: Room, press: Callable[..., None]
) -> None:
    def answer(presses: int) -> int:
        topic = room.topic("event/show-answered")
        before = len(room.hub.on(topic))
        asked = room.command("show", text="Đã có người chưa?", answers=["Có", "Chưa"])
        assert asked["state"] == "succeeded", asked
        press(0.2, presses)
        wait_for_event(room, "show-answered", before + 1)
        return int(room.hub.on(topic)[before].document["detail"]["choice"])

    assert answer(1) == 1
    assert any(answer(2) == 2 for _ in range(TRIES))


def test_the_end_darkens_the_lamp(room: Room, gpio: hardware.Gpio) -> None:
    assert room.leave()["state"] == "succeeded"
    wait_for_lamp(gpio, "off")
