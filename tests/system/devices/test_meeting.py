"""One meeting with every device real: what the hub sees and hears, and what the room does.

The tests are in the order of a meeting: before, in it, and its end. Sound has gaps while the emulated
processor starts other programs, which a Pi's does not; the figures are kept.
"""

import contextlib
import os
from pathlib import Path

from PIL import Image

from tests.support.broker import wait_until
from tests.support.peers import Receiver
from tests.support.sounds import share_of_time
from tests.system import hardware
from tests.system.host import OUT, keep_figure
from tests.system.room import Room

EMULATED_SECONDS = 120


def test_every_device_is_found_without_being_opened(room: Room, gpio: hardware.Gpio) -> None:
    for name in ("camera", "microphone", "speaker", "display", "panel"):
        room.wait_for_device(name, "ok")
    assert gpio.level(hardware.RELAY) == 0


def test_between_meetings_the_screen_shows_the_rooms_name(
    room: Room, gpio: hardware.Gpio, screen: None
) -> None:
    assert room.command("display", power="on")["state"] == "succeeded"
    assert gpio.level(hardware.RELAY) == 1
    hardware.wait_for_screen("standby", lambda seen: hardware.contrast(seen) > 10)


def test_display_and_lamp_are_on(meeting: Room, gpio: hardware.Gpio) -> None:
    assert gpio.level(hardware.RELAY) == 1, "the display is switched on"
    assert gpio.level(hardware.LAMP) == 1, "camera and microphone are open"


def test_the_meetings_picture_is_on_the_screen(meeting: Room, screen: None) -> None:
    def is_red(seen: Image.Image) -> bool:
        red, green, blue = hardware.colour_at_centre(seen)
        return red > 120 and max(green, blue) < 100

    hardware.wait_for_screen("meeting", is_red)


def test_the_hub_sees_the_rooms_camera(hub_end: Receiver) -> None:
    picture = hub_end.wait_for_picture(EMULATED_SECONDS)
    Image.fromarray(picture).save(OUT / "hub-sees.png")
    assert picture.shape == (180, 320, 3)
    bars = {tuple(colour // 64) for colour in picture[165, 10::20]}  # below vivid's text
    assert len(bars) >= 6, f"vivid shows colour bars; seen: {bars}"


def test_what_makes_pictures_gives_way_to_what_carries_sound(meeting: Room) -> None:
    """Under systemd's own niceness and filter of system calls (decision 020)."""
    seen = set()
    for command in Path("/proc").glob("[0-9]*/task/[0-9]*/cmdline"):
        with contextlib.suppress(OSError):  # a thread may end meanwhile
            if b"agent.media.process" in command.read_bytes():
                seen.add(os.getpriority(os.PRIO_PROCESS, int(command.parent.name)))
    assert seen == {-10, 0}


def test_the_meetings_tone_comes_out_of_the_loudspeaker(meeting: Room) -> None:
    def is_heard() -> bool:
        heard = share_of_time(hardware.hear("plughw:Loopback,1,1", 3), 660)
        keep_figure("share of the time that the loudspeaker plays the meeting's tone", heard)
        return heard > 0.5

    wait_until(is_heard, "the tone from the loudspeaker", EMULATED_SECONDS)


def test_the_hub_hears_the_rooms_microphone(hub_end: Receiver) -> None:
    with hardware.tone_played(880, "plughw:Loopback,0,0"):
        wait_until_heard(hub_end, 880)


def wait_until_heard(hub_end: Receiver, hertz: float) -> None:
    """Somebody whistles in the room; the hub hears it most of the time."""

    def is_heard() -> bool:
        heard = share_of_time(hub_end.hear(2, EMULATED_SECONDS), hertz)
        keep_figure("share of the time that the hub hears the microphone's tone", heard)
        return heard > 0.5

    wait_until(is_heard, "the microphone's tone at the hub", EMULATED_SECONDS)


def test_the_button_mutes_and_the_hub_cannot_unmute(meeting: Room, gpio: hardware.Gpio) -> None:
    gpio.press(hardware.BUTTON)
    wait_until(lambda: meeting.state()["microphone"] == "muted", "muted by hand", EMULATED_SECONDS)
    assert meeting.command("unmute")["code"] == "muted-by-hand"
    wait_until(
        lambda: gpio.level(hardware.LAMP) == 1,
        "the lamp blinks: the devices are open all the same",
        EMULATED_SECONDS,
    )
    # the words for a muted microphone stand in the black stripe over the picture
    hardware.wait_for_screen("muted", lambda seen: hardware.contrast(top_right(seen)) > 10)
    gpio.press(hardware.BUTTON)
    wait_until(lambda: meeting.state()["microphone"] == "live", "live again", EMULATED_SECONDS)


def top_right(picture: Image.Image) -> Image.Image:
    return picture.crop((picture.width // 2, 0, picture.width, picture.height // 9))


def test_the_camera_unplugged_and_plugged_in_again(meeting: Room, hub_end: Receiver) -> None:
    with hardware.unplugged("vivid", "vivid.0"):
        gone = meeting.wait_for_device("camera", "absent")
        assert gone["text"], gone
        assert meeting.state()["phase"] == "in-meeting"
    meeting.wait_for_device("camera", "ok")
    hub_end.wait_for_picture(EMULATED_SECONDS)
    assert meeting.state()["phase"] == "in-meeting"


def test_the_sound_card_unplugged_and_plugged_in_again(meeting: Room, hub_end: Receiver) -> None:
    with hardware.unplugged("snd_aloop", "snd_aloop.0"):
        for name in ("microphone", "speaker"):
            gone = meeting.wait_for_device(name, "absent")
            assert gone["text"], gone
        assert meeting.state()["phase"] == "in-meeting"
    with hardware.tone_played(440, "plughw:Loopback,0,0"):  # in silence it would count as dead
        meeting.wait_for_device("microphone", "ok")
        wait_until_heard(hub_end, 440)
    assert meeting.state()["phase"] == "in-meeting"


def test_the_end_of_the_meeting_closes_all(meeting: Room, gpio: hardware.Gpio) -> None:
    assert meeting.leave()["state"] == "succeeded"
    assert meeting.state()["camera"] == "off"
    wait_until(lambda: gpio.level(hardware.RELAY) == 0, "the display is off", EMULATED_SECONDS)
    assert gpio.level(hardware.LAMP) == 0
