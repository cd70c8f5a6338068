"""One encoder at a time: the full picture's, or a thumbnail's in software."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import av
import pytest

from agent.devices.camera.encoder import H264Encoder, Shape
from agent.devices.camera.pattern import Pattern
from agent.devices.camera.sized_encoder import SizedEncoder, thumbnail
from agent.errors import DeviceError
from agent.ports import THUMBNAIL, AccessUnit

FULL = Shape(640, 360, 30, 600_000)


class Board:
    """Has one encoder in hardware, as a Pi: whoever opens a second one at the same time is refused."""

    def __init__(self) -> None:
        self.open = 0
        self.chosen: list[tuple[Shape, bool]] = []

    def choose(self, shape: Shape, *, hardware: bool) -> H264Encoder:
        if self.open:
            raise DeviceError("encoder", "busy")
        self.open += 1
        self.chosen.append((shape, hardware))
        encoder, close = H264Encoder(*shape), self._close
        encoder.close = close  # type: ignore[method-assign]
        return encoder

    def _close(self) -> None:
        self.open = 0


def units(encoder: SizedEncoder, seconds: float, begin: float) -> Iterator[AccessUnit]:
    pattern = Pattern(0, FULL.width, FULL.height)
    for number in range(round(seconds * FULL.framerate)):
        captured = begin + number / FULL.framerate
        if encoder.takes(captured):
            yield from encoder.encode(pattern.draw(number), captured)


def sizes(coded: list[AccessUnit]) -> set[tuple[int, int]]:
    decoder = av.CodecContext.create("h264", "r")
    pictures = itertools.chain(
        *(decoder.decode(av.Packet(unit.data)) for unit in coded), decoder.decode(None)
    )
    return {(picture.width, picture.height) for picture in pictures}


def test_each_change_begins_with_a_keyframe_and_has_its_own_size_rate_and_bits() -> None:
    board, begin = Board(), time.monotonic()
    encoder = SizedEncoder(FULL, board.choose, hardware=True, small=False, bitrate=600_000)
    assert sizes(list(units(encoder, 0.5, begin))) == {(640, 360)}
    encoder.want_small(True)
    small = list(units(encoder, 4, begin + 1))
    assert sizes(small) == {(320, 180)}
    assert 20 <= len(small) <= 21
    assert small[0].keyframe
    assert all(unit.small for unit in small)
    assert sum(len(unit.data) for unit in small) * 8 / 4 <= THUMBNAIL.bits_per_second * 1.1
    encoder.want_small(False)
    encoder.set_bitrate(600_000)
    full = list(units(encoder, 0.5, begin + 6))
    assert full[0].keyframe
    assert not full[0].small
    assert sizes(full) == {(640, 360)}
    assert [hardware for _, hardware in board.chosen] == [True, False, True]


@pytest.mark.parametrize(
    ("width", "height", "framerate", "small"),
    [
        (1280, 720, 30, (320, 180, 5)),
        (640, 480, 30, (240, 180, 5)),
        (1080, 1920, 30, (102, 180, 5)),
        (160, 90, 3, (160, 90, 3)),
        (1366, 768, 30, (320, 180, 5)),
    ],
)
def test_a_thumbnail_keeps_the_picture_s_shape(
    width: int, height: int, framerate: float, small: tuple[int, int, float]
) -> None:
    assert thumbnail(Shape(width, height, framerate, 600_000))[:3] == small


@pytest.mark.parametrize("framerate", [30, 25, 24, 15, 7, 5, 3])
def test_as_many_pictures_as_there_may_be_at_any_rate(framerate: float) -> None:
    shape, begin = FULL._replace(framerate=framerate), time.monotonic()
    encoder = SizedEncoder(shape, Board().choose, hardware=False, small=True, bitrate=1)
    captured = [begin + number / framerate for number in range(round(20 * framerate))]
    taken = sum(map(encoder.takes, captured))
    assert min(5, framerate) * 20 * 0.95 <= taken <= min(5, framerate) * 20 * 1.05
