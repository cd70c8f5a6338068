"""The cameras' common encoder, and what happens when one falls silent."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import av
import pytest

from agent.core.model.documents import DeviceStatus
from agent.devices.camera import streaming
from agent.devices.camera.encoder import SOFTWARE_MINIMUM_BITRATE, H264Encoder, Shape
from agent.devices.camera.pattern import Pattern
from agent.devices.camera.source import SourceFormat
from agent.devices.camera.streaming import StreamingCamera
from agent.errors import DeviceError
from agent.ports import AccessUnit
from tests.support.waiting import wait_for

WIDTH, HEIGHT, FRAMERATE = 320, 180, 30


def noise() -> av.VideoFrame:
    picture = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
    for plane in picture.planes:
        plane.update(os.urandom(plane.buffer_size))
    return picture


def encoded_bits(encoder: H264Encoder, seconds: int) -> int:
    """What so many seconds of noise become, after a second for settling."""
    units = [
        len(unit.data)
        for number in range((seconds + 1) * FRAMERATE)
        for unit in encoder.encode(noise(), time.monotonic() + number / FRAMERATE)
    ]
    return 8 * sum(units[FRAMERATE:])


def test_the_bitrate_has_a_floor_and_a_ceiling() -> None:
    encoder = H264Encoder(WIDTH, HEIGHT, FRAMERATE, 600_000)
    encoder.set_bitrate(5_000_000)
    assert encoded_bits(encoder, 2) / 2 < 900_000
    encoder.set_bitrate(1)
    assert encoder._bitrate == SOFTWARE_MINIMUM_BITRATE


def test_a_codec_that_does_not_open_is_told_by_name() -> None:
    with pytest.raises(DeviceError, match="no_such_codec"):
        H264Encoder(WIDTH, HEIGHT, FRAMERATE, 600_000, "no_such_codec")


class Pattering:
    """A source of test pictures in real time."""

    def __init__(self) -> None:
        self.opened = 0
        self._pattern = Pattern(0, WIDTH, HEIGHT)

    def open(self) -> SourceFormat:
        self.opened += 1
        return SourceFormat(WIDTH, HEIGHT, FRAMERATE, "pattern")

    def read(self) -> tuple[av.VideoFrame, float]:
        time.sleep(1 / FRAMERATE)
        return self._pattern.draw(round(time.monotonic() * FRAMERATE)), time.monotonic()

    def close(self) -> None:
        """Nothing to close."""


class FallingSilent(H264Encoder):
    """Encodes three pictures and then none, until it is opened anew."""

    made = 0

    def __init__(self, shape: Shape, *, hardware: bool = False) -> None:
        super().__init__(*shape)
        FallingSilent.made += 1
        self._left = 3 if FallingSilent.made == 1 else 1_000_000

    def encode(self, picture: av.VideoFrame, captured_seconds: float) -> Iterator[AccessUnit]:
        self._left -= 1
        return super().encode(picture, captured_seconds) if self._left >= 0 else iter(())


def test_an_encoder_that_falls_silent_is_opened_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FallingSilent, "made", 0)
    monkeypatch.setattr(streaming, "HUNG_SECONDS", 0.5)
    source, units, told = Pattering(), list[AccessUnit](), list[DeviceStatus]()
    camera = StreamingCamera(source, 600_000, required=True, choose=FallingSilent)
    camera.start(units.append, told.append)
    wait_for(lambda: len(units) > 5, 10, "pictures again")
    camera.close()
    assert source.opened == 2
    assert [status.code for status in told] == ["stalled", "ok"]
    assert units[3].keyframe


def test_after_opening_anew_the_bitrate_is_the_last_one_and_may_rise_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(FallingSilent, "made", 0)
    monkeypatch.setattr(streaming, "HUNG_SECONDS", 0.5)
    source, units = Pattering(), list[AccessUnit]()
    camera = StreamingCamera(source, 600_000, required=True, choose=FallingSilent)
    camera.start(units.append, lambda status: None)
    camera.set_bitrate(200_000)
    wait_for(lambda: len(units) > 5, 10, "pictures again")
    assert camera._take is not None
    encoder = camera._take.encoder._encoder
    assert isinstance(encoder, FallingSilent)
    assert encoder._bitrate == 200_000
    camera.set_bitrate(600_000)
    camera.close()
    assert encoder._bitrate == 600_000


def test_an_error_that_nobody_foresaw_is_told_and_the_camera_goes_on() -> None:
    units, told = list[AccessUnit](), list[DeviceStatus]()

    def take(unit: AccessUnit) -> None:
        units.append(unit)
        if len(units) == 3:
            raise KeyError("a mistake elsewhere")

    camera = StreamingCamera(Pattering(), 600_000, required=True, hardware=False)
    camera.start(take, told.append)
    wait_for(lambda: len(units) > 5, 10, "pictures again")
    wait_for(lambda: [status.code for status in told] == ["failed", "ok"], 5, "that it is well")
    camera.close()
    assert "a mistake elsewhere" in told[0].text
