"""H.264 access units into pictures: grey values to judge, and a PNG file to look at.

PyAV is used here as the media process's engine would be too heavy for a look at one camera.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from agent.diagnostics.picture import Luma

if TYPE_CHECKING:
    import av

JUDGED_WIDTH, JUDGED_HEIGHT = 320, 180


class Film:
    """Decodes one camera's stream and keeps its first and its latest picture."""

    def __init__(self) -> None:
        import av

        self._decoder = av.CodecContext.create("h264", "r")
        self.first: Luma | None = None
        self.latest: av.VideoFrame | None = None
        self.pictures = 0

    def feed(self, access_unit: bytes) -> None:
        """Decode one access unit; what can't be decoded (before the first keyframe) is left out."""
        import av

        try:
            frames = self._decoder.decode(av.Packet(access_unit))
        except av.FFmpegError:
            return
        for frame in frames:
            self.pictures += 1
            self.latest = frame
            if self.first is None:
                self.first = luma(frame)


def luma(frame: av.VideoFrame) -> Luma:
    """The picture's grey values, scaled down."""
    small = frame.reformat(JUDGED_WIDTH, JUDGED_HEIGHT, "gray")
    plane = small.planes[0]
    rows = memoryview(plane)
    size = plane.line_size
    values = b"".join(bytes(rows[y * size : y * size + JUDGED_WIDTH]) for y in range(JUDGED_HEIGHT))
    return Luma(JUDGED_WIDTH, JUDGED_HEIGHT, values)


def write_png(frame: av.VideoFrame, path: Path) -> None:
    """Raises OSError when the file can't be written."""
    import av

    encoder = av.CodecContext.create("png", "w")
    encoder.width, encoder.height, encoder.pix_fmt = frame.width, frame.height, "rgb24"
    encoder.time_base = Fraction(1)
    picture = frame.reformat(format="rgb24")
    picture.pts = 0
    packets = [*encoder.encode(picture), *encoder.encode(None)]
    path.write_bytes(b"".join(bytes(packet) for packet in packets))


def thumbnail(path: Path, columns: int, rows: int) -> list[list[tuple[int, int, int]]]:
    """The picture in a PNG file as rows of red, green, blue. Raises OSError."""
    import av

    with av.open(str(path)) as file:
        frame = next(file.decode(video=0)).reformat(columns, rows, "rgb24")
    plane = frame.planes[0]
    data, size = bytes(memoryview(plane)), plane.line_size
    return [
        [
            (data[at], data[at + 1], data[at + 2])
            for at in range(y * size, y * size + 3 * columns, 3)
        ]
        for y in range(rows)
    ]
