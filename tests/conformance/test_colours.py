"""Black and white of every camera format, as a player sees them: on pictures decoded again."""

from __future__ import annotations

from fractions import Fraction

import av
import numpy as np
import pytest

from agent.devices.camera import picamera2
from agent.devices.camera.encoder import H264Encoder
from agent.devices.camera.pattern import Pattern
from agent.devices.camera.v4l2 import V4l2Pictures
from agent.devices.camera.v4l2_capture import CaptureFormat

WIDTH, HEIGHT = 640, 360
FULL = (0, 64, 128, 192, 255)
"""Greys as a sensor gives them."""

LIMITED = tuple(round(16 + grey * 219 / 255) for grey in FULL)
"""The same greys as H.264 without a flag has them (ITU-R BT.601)."""


def bars(values: tuple[int, ...], pixel: int = 1, stride: int = WIDTH) -> np.ndarray:
    """Upright bars of these values; `pixel` bytes a pixel."""
    width = WIDTH // len(values)
    line = np.repeat(np.array(values, np.uint8), width * pixel)
    return np.tile(np.pad(line, (0, stride * pixel - len(line))), (HEIGHT, 1))


def mjpeg(pixels: str) -> av.VideoFrame | None:
    picture = av.VideoFrame(WIDTH, HEIGHT, pixels)
    picture.planes[0].update(bars(FULL).tobytes())
    for plane in picture.planes[1:]:
        plane.update(bytes([128]) * plane.buffer_size)
    encoder = av.CodecContext.create("mjpeg", "w")
    assert isinstance(encoder, av.VideoCodecContext)
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, pixels
    encoder.time_base, encoder.bit_rate = Fraction(1, 30), 40_000_000
    data = b"".join(map(bytes, [*encoder.encode(picture), *encoder.encode(None)]))
    return usb_camera()._decode(data, CaptureFormat(WIDTH, HEIGHT, 30, "MJPG", 0, True))


def usb_camera() -> V4l2Pictures:
    camera = V4l2Pictures.__new__(V4l2Pictures)
    camera._decoder = av.CodecContext.create("mjpeg", "r")  # type: ignore[assignment]
    return camera


def yuyv(values: tuple[int, ...], *, full: bool) -> av.VideoFrame | None:
    data = np.full((HEIGHT, WIDTH * 2), 128, np.uint8)
    data[:, ::2] = bars(values)
    given = CaptureFormat(WIDTH, HEIGHT, 30, "YUYV", 2 * WIDTH, full)
    return usb_camera()._decode(data.tobytes(), given)


def ribbon(form: str) -> av.VideoFrame:
    if form == "YUV420":
        data = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        data[:HEIGHT] = bars(LIMITED)
        given = {"size": (WIDTH, HEIGHT), "stride": WIDTH, "format": form}
    else:
        data = bars(FULL, 3)
        given = {"size": (WIDTH, HEIGHT), "stride": 3 * WIDTH, "format": form}
    return picamera2._picture(memoryview(data.reshape(-1)), given)


FORMATS = {
    "usb-mjpeg-422": lambda: mjpeg("yuvj422p"),
    "usb-mjpeg-420": lambda: mjpeg("yuvj420p"),
    "usb-mjpeg-444": lambda: mjpeg("yuvj444p"),
    "usb-yuyv": lambda: yuyv(LIMITED, full=False),
    "usb-yuyv-full-range": lambda: yuyv(FULL, full=True),
    "ribbon-yuv420": lambda: ribbon("YUV420"),
    "ribbon-rgb888": lambda: ribbon("RGB888"),
    "ribbon-bgr888": lambda: ribbon("BGR888"),
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_player_sees_the_greys_that_the_camera_saw(form: str) -> None:
    picture = FORMATS[form]()
    assert picture is not None
    encoder = H264Encoder(WIDTH, HEIGHT, 30, 4_000_000)
    unit = next(encoder.encode(picture, 1.0))
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    seen = [*decoder.decode(av.Packet(unit.data)), *decoder.decode(None)][0]
    middle = [WIDTH // 5 * bar + WIDTH // 10 for bar in range(5)]
    luma = np.frombuffer(bytes(seen.planes[0]), np.uint8)[seen.planes[0].line_size * 180 :]
    assert [int(luma[at]) for at in middle] == pytest.approx(LIMITED, abs=2)
    grey = seen.to_ndarray(format="rgb24")[180, middle]
    assert np.abs(grey.astype(int) - np.array(FULL)[:, None]).max() <= 6
    assert seen.color_range != av.video.reformatter.ColorRange.JPEG


def test_the_simulated_cameras_black_is_16() -> None:
    assert min(bytes(Pattern(0, WIDTH, HEIGHT).black().planes[0])[:WIDTH]) == 16
