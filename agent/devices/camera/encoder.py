"""H.264 encoders for raw pictures, with keyframes on request and a bitrate that can change.

All cameras share them. Which one it really is gets reported, since the one in software costs a core.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple, Protocol

from agent.core.model.h264 import level
from agent.devices.camera.annexb import ParameterSets
from agent.errors import DeviceError
from agent.ports import AccessUnit

if TYPE_CHECKING:
    import av

SOFTWARE = "libx264"
"""FFmpeg's name."""

KEYFRAME_INTERVAL_SECONDS = 10
"""Between unasked keyframes; the receiver asks when it needs one."""

BUFFER_SECONDS = 1 / 3
"""x264's rate buffer: it bounds the first keyframe's size, and without one x264 ignores a new
bitrate. With a third of a second a lower one holds within the second (measured)."""

MINIMUM_BITRATE = 100_000
"""Bit/s. The Pi's encoder hangs when it is asked for less than it can do (failure row 5)."""

SOFTWARE_MINIMUM_BITRATE = 30_000
"""Bit/s; x264 does what it is asked for, and less is no picture any more."""

PENDING_PICTURES = 30
"""More than any encoder keeps before it delivers."""

_SOFTWARE_OPTIONS = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "profile": "baseline",
    "forced-idr": "1",
    "sc_threshold": "0",
}


class Shape(NamedTuple):
    """What is to be encoded: pixels, pictures a second, and bit/s at the most for ever."""

    width: int
    height: int
    framerate: float
    bitrate: int


class Encoder(Protocol):
    """One thread encodes and closes, any may ask."""

    name: str
    hardware: bool

    def encode(self, picture: av.VideoFrame, captured_seconds: float) -> Iterator[AccessUnit]:
        """The access units that this yuv420p picture completes; a keyframe stands alone.

        Raises DeviceError when the encoder fails.
        """
        ...

    def request_keyframe(self) -> None:
        """Make the next picture an IDR."""
        ...

    def set_bitrate(self, bits_per_second: int) -> None:
        """The target from the next picture on, within floor and ceiling."""
        ...

    def close(self) -> None:
        """Does not raise."""
        ...


def held(bits_per_second: int, ceiling: int, floor: int = MINIMUM_BITRATE) -> int:
    """The bitrate within floor and ceiling."""
    return max(floor, min(bits_per_second, ceiling))


class CaptureTimes:
    """When the pictures that are inside an encoder were captured, by a number of its own."""

    def __init__(self) -> None:
        self._seconds: dict[int, float] = {}

    def keep(self, number: int, seconds: float) -> None:
        self._seconds[number] = seconds
        if len(self._seconds) > PENDING_PICTURES:  # the encoder dropped some
            del self._seconds[next(iter(self._seconds))]

    def take(self, number: int, otherwise: float) -> float:
        return self._seconds.pop(number, otherwise)


class H264Encoder:
    """The encoder of FFmpeg with this name. Raises DeviceError when it does not open."""

    def __init__(
        self, width: int, height: int, framerate: float, bitrate: int, codec: str = SOFTWARE
    ) -> None:
        self.name = codec
        self.hardware = codec != SOFTWARE
        self._shape = Shape(width, height, framerate, bitrate)
        self._bitrate = bitrate
        self._keyframe_wanted = False
        self._parameter_sets = ParameterSets(codec)
        self._time_base = Fraction(1, 90_000)
        self._times = CaptureTimes()
        self._context = self._open()

    def encode(self, picture: av.VideoFrame, captured_seconds: float) -> Iterator[AccessUnit]:
        """See Encoder; in software always exactly one."""
        from av.video.frame import PictureType

        self._context.bit_rate = self._bitrate
        wanted, self._keyframe_wanted = self._keyframe_wanted, False
        picture.pict_type = PictureType.I if wanted else PictureType.NONE
        picture.time_base = self._time_base
        picture.pts = round(captured_seconds / self._time_base)
        self._times.keep(picture.pts, captured_seconds)
        for packet in self._context.encode(picture):
            if unit := self._parameter_sets.complete(bytes(packet)):
                yield AccessUnit(*unit, self._times.take(packet.pts or 0, captured_seconds))

    def request_keyframe(self) -> None:
        """See Encoder."""
        self._keyframe_wanted = True

    def set_bitrate(self, bits_per_second: int) -> None:
        """See Encoder."""
        floor = MINIMUM_BITRATE if self.hardware else SOFTWARE_MINIMUM_BITRATE
        self._bitrate = held(bits_per_second, self._shape.bitrate, floor)

    def close(self) -> None:
        """See Encoder: FFmpeg frees it with the object."""

    def _open(self) -> av.VideoCodecContext:
        import av

        shape = self._shape
        try:
            context = av.CodecContext.create(self.name, "w")
            assert isinstance(context, av.VideoCodecContext)
            context.width, context.height, context.pix_fmt = shape.width, shape.height, "yuv420p"
            context.framerate = Fraction(shape.framerate).limit_denominator(1001)
            context.time_base = self._time_base
            context.bit_rate = shape.bitrate
            context.gop_size = round(shape.framerate * KEYFRAME_INTERVAL_SECONDS)
            context.thread_count = 1
            context.options = {} if self.hardware else self._software_options()
            context.open()
        except (av.FFmpegError, ValueError) as error:
            text = f"Camera: H.264 encoder {self.name} does not open: {error}"
            raise DeviceError("encoder", text) from error
        return context

    def _software_options(self) -> dict[str, str]:
        shape = self._shape
        buffer_bits = round(shape.bitrate * BUFFER_SECONDS)
        number = level(shape.width, shape.height, shape.framerate)
        rates = {"maxrate": str(shape.bitrate), "bufsize": str(buffer_bits)}
        return {**_SOFTWARE_OPTIONS, **rates, "level": f"{number / 10:.1f}"}


def best(shape: Shape, *, hardware: bool = True) -> Encoder:
    """The one in hardware where there is one and it opens, else the one in software.

    Looks in sysfs: a board without an encoder (a Pi 5) is not asked for one. Raises DeviceError.
    """
    from agent.devices.camera import hardware_encoder

    path = hardware_encoder.find() if hardware else None
    if path is not None:
        with contextlib.suppress(DeviceError):  # what is taken instead is reported
            return hardware_encoder.HardwareEncoder(shape, path)
    return H264Encoder(*shape)
