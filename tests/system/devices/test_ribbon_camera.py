"""A ribbon camera: vimc through libcamera and the real picamera2, in the installed service."""

from collections.abc import Iterator

import pytest
from PIL import Image

from tests.support.peers import Receiver
from tests.system import hardware
from tests.system.devices.conftest import skip_without
from tests.system.host import OUT
from tests.system.room import Room

EMULATED_SECONDS = 300
"""Its driver makes the picture pixel by pixel: about one a second."""


@pytest.fixture(scope="module")
def ribbon_room(room: Room) -> Iterator[Room]:
    """The room with the other camera, in a meeting of which it plays nothing."""
    skip_without("vimc")
    with room.settings_changed("devices.camera", {"driver": "picamera2", "device": "sensor"}):
        room.wait_for_phase("standby")
        yield room


def test_the_hub_sees_the_ribbon_camera(ribbon_room: Room) -> None:
    ribbon_room.wait_for_device("camera", "ok")
    ack = ribbon_room.join(play=[])
    assert ack["state"] == "succeeded", ack
    with Receiver(f"{ribbon_room.publishes}/whep") as hub_sees:
        picture = Image.fromarray(hub_sees.wait_for_picture(EMULATED_SECONDS))
    picture.save(OUT / "hub-sees-ribbon-camera.png")
    assert hardware.contrast(picture) > 20, "vimc shows colour bars"
    assert picture.size == (1280, 720), "not the other camera's"
    assert ribbon_room.leave()["state"] == "succeeded"
