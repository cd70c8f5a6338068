"""How a ribbon camera is set up: in focus, with its whole view, the right way up."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from agent import settings
from agent.devices.camera.picamera2 import Picamera2Pictures
from agent.errors import DeviceAbsent
from tests.support import stand_in_picamera2
from tests.support.stand_in_picamera2 import Picamera2

ON_USB = {"Num": 1, "Model": "HD Pro Webcam C920", "Id": "/base/scb/pcie/usb@0,0-1.2:1.0-046d"}


def opened(monkeypatch: pytest.MonkeyPatch, **wanted: Any) -> dict[str, Any]:
    """What picamera2 was configured with."""
    monkeypatch.setitem(sys.modules, "picamera2", stand_in_picamera2)
    monkeypatch.setitem(sys.modules, "libcamera", SimpleNamespace(Transform=lambda **flips: flips))
    monkeypatch.setattr(Picamera2, "in_use", False)
    pictures = Picamera2Pictures(settings.Camera(driver="picamera2", **wanted))
    pictures.open()
    pictures.close()
    return Picamera2.opened


def chosen(monkeypatch: pytest.MonkeyPatch, **wanted: Any) -> int:
    """The number of the camera that was opened."""
    opened(monkeypatch, **wanted)
    return Picamera2.number


@pytest.mark.parametrize("device", [None, "1", "imx708"])
def test_without_a_name_it_is_the_one_on_the_ribbon_cable_though_one_on_usb_comes_first(
    device: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Picamera2, "cameras", [ON_USB, *Picamera2.cameras])
    assert chosen(monkeypatch, device=device) == 0


def test_a_camera_on_usb_does_not_stand_in_for_one_on_the_ribbon_cable(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Picamera2, "cameras", [ON_USB])
    with pytest.raises(DeviceAbsent, match="ribbon"):
        opened(monkeypatch)
    assert chosen(monkeypatch, device="c920") == 1


def test_a_camera_that_can_focus_does_so_all_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(monkeypatch)["controls"] == {"FrameRate": 30, "AfMode": 2}


def test_a_lens_that_is_to_stay_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    controls = opened(monkeypatch, lens_position=0.5)["controls"]
    assert (controls["AfMode"], controls["LensPosition"]) == (0, 0.5)


def test_a_camera_without_a_motor_is_not_told_to_focus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picamera2, "camera_controls", {"FrameDurationLimits": (1, 2, None)})
    assert opened(monkeypatch, lens_position=0.5)["controls"] == {"FrameRate": 30}


def test_the_sensors_mode_sees_all_and_is_fast_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(monkeypatch)["sensor"] == {"output_size": (2304, 1296), "bit_depth": 10}


def modes(*described: tuple[tuple[int, int], tuple[int, int], float, int]) -> list[dict[str, Any]]:
    """Of a sensor: size, what is seen of the sensor, pictures a second, bits."""
    return [
        {"size": size, "crop_limits": (0, 0, *seen), "fps": fps, "bit_depth": bits}
        for size, seen, fps, bits in described
    ]


OV5647 = modes(
    ((640, 480), (2560, 1920), 58.9, 10),
    ((1296, 972), (2592, 1944), 46.3, 10),
    ((1920, 1080), (1928, 1080), 32.8, 10),
    ((2592, 1944), (2592, 1944), 15.6, 10),
)
IMX219 = modes(
    ((640, 480), (1280, 960), 206.7, 8),
    ((1640, 1232), (3280, 2464), 83.7, 8),
    ((3280, 2464), (3280, 2464), 21.2, 8),
    ((640, 480), (1280, 960), 103.3, 10),
    ((1640, 1232), (3280, 2464), 41.9, 10),
    ((3280, 2464), (3280, 2464), 21.2, 10),
)


@pytest.mark.parametrize(
    ("sensor", "size", "chosen"),
    [
        (OV5647, (1280, 720), (1296, 972)),
        (OV5647, (640, 360), (640, 480)),
        (OV5647, (1920, 1080), (1296, 972)),
        (IMX219, (1280, 720), (1640, 1232)),
    ],
    ids=["camera-1", "camera-1-small", "camera-1-large", "camera-2"],
)
def test_the_sensors_mode_has_as_many_pixels_as_the_picture(
    sensor: list[dict[str, Any]],
    size: tuple[int, int],
    chosen: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A Camera Module 1 sees nearly all in a mode of 640x480, which was enlarged to 720p."""
    monkeypatch.setattr(Picamera2, "sensor_modes", sensor)
    width, height = size
    wanted = opened(monkeypatch, width=width, height=height)["sensor"]
    assert wanted == {"output_size": chosen, "bit_depth": 10}, "and the most bits of two alike"


def test_without_modes_libcamera_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Picamera2, "sensor_modes", [])
    assert "sensor" not in opened(monkeypatch)


def test_a_camera_under_the_ceiling_is_turned(monkeypatch: pytest.MonkeyPatch) -> None:
    assert opened(monkeypatch, rotation=180)["transform"] == {"hflip": 1, "vflip": 1}
    assert "transform" not in opened(monkeypatch)
