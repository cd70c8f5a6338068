"""The H.264 encoder in a Pi's hardware (up to the Pi 4), driven through the kernel, not through FFmpeg.

FFmpeg waits for it without a limit, asks for parameter sets apart from the keyframe and cannot change
its bitrate while it runs (libavcodec/v4l2_m2m_enc.c); the kernel's driver does all three.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.core.model.h264 import level
from agent.devices.camera import v4l2_structures as v4l2
from agent.devices.camera.annexb import ParameterSets
from agent.devices.camera.encoder import (
    KEYFRAME_INTERVAL_SECONDS,
    CaptureTimes,
    Shape,
    held,
)
from agent.devices.camera.v4l2_codec import CodecDevice, Kernel, RawShape, SystemKernel
from agent.errors import DeviceError
from agent.ports import AccessUnit

if TYPE_CHECKING:
    import av

SYSFS = Path("/sys")

NAME = "bcm2835-codec-encode"
"""What the kernel calls the device; `bcm2835-codec-encode_image` is another one, for JPEG."""

WAIT_SECONDS = 0.05
"""For the picture just given: 720p takes a Pi 4 some 10 ms. Later ones are fetched with the next."""


def find(sysfs: Path = SYSFS) -> Path | None:
    """The device node of the encoder; None on a board without one. Opens nothing."""
    for name in sorted((sysfs / "class" / "video4linux").glob("video*/name")):
        if name.read_text().strip() == NAME:
            return Path("/dev") / name.parent.name
    return None


class HardwareEncoder:
    """See Encoder. No call waits longer than `WAIT_SECONDS`; a picture that finds no room is left out."""

    def __init__(self, shape: Shape, path: Path, kernel: Kernel | None = None) -> None:
        """Raises DeviceError when the device does not open or refuses what every receiver needs."""
        self.name = NAME
        self.hardware = True
        self._shape = shape
        self._bitrate = self._set = shape.bitrate
        self._keyframe_wanted = False
        self._parameter_sets = ParameterSets(NAME)
        self._times = CaptureTimes()
        size = shape.width, shape.height
        self._device = CodecDevice(path, kernel or SystemKernel(), size, shape.framerate, NAME)
        try:
            self._prepare()
            self._device.stream()
        except DeviceError:
            self._device.close()
            raise

    def encode(self, picture: av.VideoFrame, captured_seconds: float) -> Iterator[AccessUnit]:
        """See Encoder."""
        submitted = self._submit(picture, captured_seconds)
        wait = WAIT_SECONDS if submitted else 0.0
        while coded := self._device.output(wait):
            if unit := self._parameter_sets.complete(coded.data):
                wait = 0.0
                yield AccessUnit(*unit, self._times.take(coded.microseconds, captured_seconds))

    def request_keyframe(self) -> None:
        """See Encoder."""
        self._keyframe_wanted = True

    def set_bitrate(self, bits_per_second: int) -> None:
        """See Encoder."""
        self._bitrate = held(bits_per_second, self._shape.bitrate)

    def close(self) -> None:
        """See Encoder."""
        self._device.close()

    def _prepare(self) -> None:
        shape, control = self._shape, self._device.control
        number = level(shape.width, shape.height, shape.framerate)
        wanted = {
            v4l2.H264_PROFILE: v4l2.CONSTRAINED_BASELINE,
            v4l2.H264_LEVEL: v4l2.LEVEL_NUMBERS[number],
            v4l2.BITRATE: shape.bitrate,
        }
        for which, value in wanted.items():
            self._command(which, value)
        # who does without these two still gets whole keyframes: see ParameterSets
        control(v4l2.HEADER_MODE, v4l2.JOINED_WITH_FIRST_FRAME)
        control(v4l2.REPEAT_SEQUENCE_HEADER, 1)
        control(v4l2.H264_I_PERIOD, round(shape.framerate * KEYFRAME_INTERVAL_SECONDS))

    def _command(self, control: int, value: int) -> None:
        """Set what an encoder must obey to be of use. Raises DeviceError when it refuses."""
        if not self._device.control(control, value):
            text = f"Camera: H.264 encoder {NAME} refuses control {control:#x} = {value}"
            raise DeviceError("encoder", text)

    def _submit(self, picture: av.VideoFrame, captured_seconds: float) -> bool:
        """Whether there was room for the picture."""
        given = self._device.input()
        if given is None:
            return False
        index, memory = given
        if self._bitrate != self._set:
            self._command(v4l2.BITRATE, self._bitrate)
            self._set = self._bitrate
        if self._keyframe_wanted:
            self._command(v4l2.FORCE_KEY_FRAME, 1)
            self._keyframe_wanted = False
        microseconds = round(captured_seconds * 1e6)
        self._times.keep(microseconds, captured_seconds)
        self._device.submit(index, lay_out(picture, memory, self._device.shape), microseconds)
        return True


def lay_out(picture: av.VideoFrame, memory: Any, shape: RawShape) -> int:
    """Copy a yuv420p picture into a buffer as the codec wants it. How many bytes it takes there."""
    at = 0
    for plane, part in zip(picture.planes, (1, 2, 2), strict=True):
        stride, lines = shape.stride // part, picture.height // part
        source = memoryview(plane)
        if plane.line_size == stride:
            memory[at : at + stride * lines] = source[: stride * lines]
        else:
            width = picture.width // part
            for line in range(lines):
                begin = line * plane.line_size
                memory[at + line * stride : at + line * stride + width] = source[
                    begin : begin + width
                ]
        at += stride * (shape.height // part)
    return at
