"""Raw pictures moved into FFmpeg's frames, whose lines may be longer than the picture is wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import av
    from av.video.plane import VideoPlane


def fill(plane: VideoPlane, data: bytes | memoryview, width: int, stride: int) -> None:
    """Copy lines of `width` bytes, `stride` bytes apart, to all lines of the plane."""
    lines = plane.buffer_size // plane.line_size
    if stride == plane.line_size:
        plane.update(bytes(data[: stride * lines]))
        return
    gap = bytes(plane.line_size - width)
    cut = (bytes(data[at : at + width]) + gap for at in range(0, stride * lines, stride))
    plane.update(b"".join(cut))


def in_limited_range(raw: av.VideoFrame, *, full: bool) -> av.VideoFrame:
    """The picture as yuv420p with black at 16 and white at 235 (ITU-R BT.601). `full`: in `raw` they are
    at 0 and 255, which FFmpeg only heeds if it is told.
    """
    from av.video.reformatter import ColorRange

    source = ColorRange.JPEG if full else ColorRange.MPEG
    return raw.reformat(format="yuv420p", src_color_range=source, dst_color_range=ColorRange.MPEG)
