"""A meeting with every device real: what the hub sees and hears, and what the room does."""

from tests.support.broker import wait_until
from tests.support.peers import Publisher, Receiver
from tests.system import hardware
from tests.system.host import journal
from tests.system.room import Room

RED = (200, 40, 40)


def test_every_device_is_found_without_being_opened(room: Room) -> None:
    for name in ("camera", "microphone", "speaker", "display", "panel"):
        room.wait_for_device(name, "ok")


def test_a_meeting_with_real_drivers(room: Room, gpio: hardware.Gpio) -> None:
    with Publisher(f"{room.plays}/whip", colour=RED, tone_hz=660):
        ack = room.join(microphone="live")
        assert ack["state"] == "succeeded", (ack, journal("SYSLOG_IDENTIFIER=diemcau")[-20:])
        assert gpio.level(hardware.RELAY) == 1, "the display is switched on"
        wait_until(lambda: gpio.level(hardware.LAMP) == 1, "the lamp is on while the room is heard")
        wait_until(screen_is_red, "the meeting's picture is on the screen", 120)
        with Receiver(f"{room.publishes}/whep") as hub_sees:
            picture = hub_sees.wait_for_picture(120)
            assert picture.shape == (180, 320, 3)
            assert picture.std() > 20, "vivid's colour bars"
    assert room.leave()["state"] == "succeeded"
    room.wait_for_phase("standby")
    wait_until(lambda: gpio.level(hardware.RELAY) == 0, "the display is switched off", 60)
    assert gpio.level(hardware.LAMP) == 0


def screen_is_red() -> bool:
    red, green, blue = hardware.colour_at_centre(hardware.screenshot("screen-in-meeting.png"))
    return red > 120 and green < 100 and blue < 100
