"""An H.264 encoder for raw pictures, with keyframes on request and a bitrate that can change.

All cameras share it. Which codec it really is gets reported, since a software one costs a core.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from agent.errors import DeviceError
from agent.ports import AccessUnit

if TYPE_CHECKING:
    import av

SOFTWARE = "libx264"
HARDWARE = "h264_v4l2m2m"
"""FFmpeg's names; the latter is a Raspberry Pi 4's. A Pi 5 has none."""

KEYFRAME_INTERVAL_SECONDS = 10
"""Between unasked keyframes; the receiver asks when it needs one."""

BUFFER_SECONDS = 1 / 3
"""x264's rate buffer: it bounds the first keyframe's size, and without one x264 ignores a new
bitrate. With a third of a second a lower one holds within the second (measured)."""

MINIMUM_BITRATE = 100_000
"""Bit/s. The Pi's encoder hangs when it is asked for less than it can do (failure row 5)."""

REOPEN_CHANGE = 0.15
"""The hardware codec takes a new bitrate at opening only, so it is opened anew, with a keyframe,
for a change by more than this part."""

PENDING_PICTURES = 30
"""More than any encoder keeps before it delivers."""

_SOFTWARE_OPTIONS = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "profile": "baseline",
    "forced-idr": "1",
    "sc_threshold": "0",
}

_SEQUENCE_PARAMETER_SET = 7
_IDR_SLICE = 5


class H264Encoder:
    """Encodes yuv420p pictures of one size to H.264 Annex B access units.

    `bitrate` in bit/s is the ceiling for ever: `set_bitrate` goes up to it and no further.
    Raises DeviceError when the codec does not open. One thread encodes, any may ask.
    """

    def __init__(
        self, width: int, height: int, framerate: float, bitrate: int, codec: str = SOFTWARE
    ) -> None:
        self.name = codec
        self.hardware = codec != SOFTWARE
        self._shape = width, height, framerate
        self._ceiling = self._bitrate = self._opened_bitrate = bitrate
        self._keyframe_wanted = False
        self._parameter_sets = b""
        self._time_base = Fraction(1, 90_000)
        self._capture_times: dict[int, float] = {}
        self._context = self._open()

    def encode(self, picture: av.VideoFrame, captured_seconds: float) -> Iterator[AccessUnit]:
        """The access units that this picture completes; in software always exactly one."""
        from av.video.frame import PictureType

        self._follow_bitrate()
        wanted, self._keyframe_wanted = self._keyframe_wanted, False
        picture.pict_type = PictureType.I if wanted else PictureType.NONE
        picture.time_base = self._time_base
        picture.pts = round(captured_seconds / self._time_base)
        self._capture_times[picture.pts] = captured_seconds
        if len(self._capture_times) > PENDING_PICTURES:  # the hardware dropped some
            del self._capture_times[next(iter(self._capture_times))]
        for packet in self._context.encode(picture):
            captured = self._capture_times.pop(packet.pts or 0, captured_seconds)
            data = bytes(packet)
            if packet.is_keyframe:
                data = self._with_parameter_sets(data)
            yield AccessUnit(data, packet.is_keyframe, captured)

    def request_keyframe(self) -> None:
        """Make the next picture an IDR; callable from any thread."""
        self._keyframe_wanted = True

    def set_bitrate(self, bits_per_second: int) -> None:
        """The target from the next picture on, within floor and ceiling; from any thread."""
        self._bitrate = max(MINIMUM_BITRATE, min(bits_per_second, self._ceiling))

    def _open(self) -> av.VideoCodecContext:
        import av

        width, height, framerate = self._shape
        try:
            context = av.CodecContext.create(self.name, "w")
            assert isinstance(context, av.VideoCodecContext)
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.framerate = Fraction(framerate).limit_denominator(1001)
            context.time_base = self._time_base
            context.bit_rate = self._bitrate
            context.gop_size = round(framerate * KEYFRAME_INTERVAL_SECONDS)
            context.thread_count = 1
            context.options = {} if self.hardware else self._software_options()
            context.open()
        except (av.FFmpegError, ValueError) as error:
            text = f"Camera: H.264 encoder {self.name} does not open: {error}"
            raise DeviceError("encoder", text) from error
        return context

    def _software_options(self) -> dict[str, str]:
        buffer_bits = round(self._ceiling * BUFFER_SECONDS)
        return {**_SOFTWARE_OPTIONS, "maxrate": str(self._ceiling), "bufsize": str(buffer_bits)}

    def _follow_bitrate(self) -> None:
        wanted = self._bitrate
        if not self.hardware:
            self._context.bit_rate = wanted
        elif abs(wanted - self._opened_bitrate) > REOPEN_CHANGE * self._opened_bitrate:
            self._context = self._open()
            self._opened_bitrate = wanted

    def _with_parameter_sets(self, unit: bytes) -> bytes:
        """A keyframe that stands alone: the hardware writes parameter sets before the first only."""
        idr = _nal_unit(unit, _IDR_SLICE)
        if _nal_unit(unit, _SEQUENCE_PARAMETER_SET) is None:
            return self._parameter_sets + unit
        self._parameter_sets = unit[:idr]
        return unit


def _nal_unit(unit: bytes, kind: int) -> int | None:
    """Where the first NAL unit of this type begins, start code included; None without one."""
    at = unit.find(b"\0\0\1")
    while at >= 0 and at + 3 < len(unit):
        if unit[at + 3] & 0x1F == kind:
            return at - 1 if at > 0 and unit[at - 1] == 0 else at
        at = unit.find(b"\0\0\1", at + 3)
    return None
