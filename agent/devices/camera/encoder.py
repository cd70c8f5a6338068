"""An H.264 encoder for raw pictures, with keyframes on request and a bitrate that can change.

Used by the cameras that deliver pictures rather than H.264; the only other encoder is picamera2's
own. The choice of codec is reported, since a software one costs a core.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import TYPE_CHECKING

from agent.errors import DeviceError
from agent.ports import AccessUnit

if TYPE_CHECKING:
    import av

KEYFRAME_INTERVAL_SECONDS = 10
"""Between unasked keyframes; the receiver asks when it needs one."""

BUFFER_SECONDS = 1 / 3
"""x264's rate buffer: it bounds the first keyframe's size, and without one x264 ignores a new
bitrate. With a third of a second a lower one holds within the second (measured)."""

_SOFTWARE_OPTIONS = {
    "preset": "ultrafast",
    "tune": "zerolatency",
    "profile": "baseline",
    "forced-idr": "1",
    "sc_threshold": "0",
}


class H264Encoder:
    """Encodes yuv420p pictures of one size to H.264 Annex B access units.

    `bitrate` in bit/s is the ceiling for ever: `set_bitrate` goes up to it and no further.
    `codec` is FFmpeg's name. Raises DeviceError when the codec is unknown or does not open.
    """

    def __init__(
        self, width: int, height: int, framerate: float, bitrate: int, codec: str = "libx264"
    ) -> None:
        import av

        self.name = codec
        self.hardware = codec != "libx264"
        self._ceiling = bitrate
        self._bitrate = bitrate
        self._keyframe_wanted = False
        self._time_base = Fraction(1, 90_000)
        self._capture_times: dict[int, float] = {}
        try:
            context = av.CodecContext.create(codec, "w")
            assert isinstance(context, av.VideoCodecContext)
            context.width, context.height, context.pix_fmt = width, height, "yuv420p"
            context.framerate = Fraction(framerate).limit_denominator(1001)
            context.time_base = self._time_base
            context.bit_rate = bitrate
            context.gop_size = round(framerate * KEYFRAME_INTERVAL_SECONDS)
            context.thread_count = 1
            context.options = self._options()
            context.open()
        except (av.FFmpegError, ValueError) as error:
            raise DeviceError("encoder", f"H.264 encoder {codec} does not open: {error}") from error
        self._context = context

    def encode(self, picture: av.VideoFrame, captured_seconds: float) -> Iterator[AccessUnit]:
        """The access units that this picture completes; in software always exactly one."""
        from av.video.frame import PictureType

        if self._context.bit_rate != self._bitrate:
            self._context.bit_rate = self._bitrate
        wanted, self._keyframe_wanted = self._keyframe_wanted, False
        picture.pict_type = PictureType.I if wanted else PictureType.NONE
        picture.time_base = self._time_base
        picture.pts = round(captured_seconds / self._time_base)
        self._capture_times[picture.pts] = captured_seconds
        for packet in self._context.encode(picture):
            captured = self._capture_times.pop(packet.pts or 0, captured_seconds)
            yield AccessUnit(bytes(packet), packet.is_keyframe, captured)

    def request_keyframe(self) -> None:
        """Make the next picture an IDR; callable from any thread."""
        self._keyframe_wanted = True

    def set_bitrate(self, bits_per_second: int) -> None:
        """The target from the next picture on, capped at the ceiling; callable from any thread."""
        self._bitrate = min(bits_per_second, self._ceiling)

    def _options(self) -> dict[str, str]:
        if self.hardware:
            return {"repeat_seq_header": "1"}
        buffer_bits = round(self._ceiling * BUFFER_SECONDS)
        return {**_SOFTWARE_OPTIONS, "maxrate": str(self._ceiling), "bufsize": str(buffer_bits)}
