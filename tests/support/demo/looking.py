"""Recognises a picture: which of several known ones it is, and how sure that is.

Pictures are compared small and in colour, by the correlation of their pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np

from tests.support.pictures import Picture

WIDTH, HEIGHT = 160, 90


@dataclass(frozen=True)
class Recognition:
    """The known picture that is most alike, and the runner-up of another name."""

    name: str
    correlation: float
    next_name: str
    next_correlation: float


def read_pictures(path: Path) -> Iterator[Picture]:
    """The pictures of a PNG or a video file."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def write_png(path: Path, picture: Picture) -> None:
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
        stream = container.add_stream("png", rate=1)
        stream.height, stream.width = picture.shape[:2]
        stream.pix_fmt = "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
        for packet in (*stream.encode(frame), *stream.encode()):
            container.mux(packet)


def small(picture: Picture, width: int = WIDTH, height: int = HEIGHT) -> Picture:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return frame.reformat(width, height, format="rgb24").to_ndarray()


def side_by_side(left: Picture, right: Picture) -> Picture:
    """Both pictures at 320 by 180, a white gap between them."""
    gap = np.full((180, 8, 3), 255, dtype=np.uint8)
    return np.hstack([small(left, 320, 180), gap, small(right, 320, 180)])


def correlation(one: Picture, other: Picture) -> float:
    """1 for the same picture (brightness and contrast aside), 0 for an unrelated one."""
    a, b = (small(picture).astype(np.float64).ravel() for picture in (one, other))
    a, b = a - a.mean(), b - b.mean()
    return float(np.dot(a, b) / (np.linalg.norm(a) * np.linalg.norm(b) + 1e-9))


def recognise(picture: Picture, known: Mapping[str, Sequence[Picture]]) -> Recognition:
    """The known name with the picture most like this one."""
    scores = {
        name: max(correlation(picture, candidate) for candidate in candidates)
        for name, candidates in known.items()
    }
    best, second = sorted(scores, key=lambda name: scores[name], reverse=True)[:2]
    return Recognition(best, scores[best], second, scores[second])
