"""The judgement on a camera's picture, with times made up."""

from __future__ import annotations

from agent.core.model.documents import DeviceStatus
from agent.devices.camera.watch import PictureWatch

FRAMERATE = 10


def said(seconds: float, *, live: bool = True, sample: bytes | None = None) -> list[str]:
    """The codes said while pictures come for so long; without a sample they all differ."""
    watch = PictureWatch(FRAMERATE, 0.0, required=True)
    told: list[DeviceStatus | None] = []
    for number in range(round(seconds * FRAMERATE)):
        now = number / FRAMERATE
        if live or number == 0:
            watch.picture(now)
            if watch.sample_due(now):
                watch.sample(sample or bytes([100, number % 100]), now)
        told.append(watch.change(now))
    return [status.code for status in told if status]


def test_a_living_picture_is_nothing_to_speak_of() -> None:
    assert said(20) == []


def test_no_picture_is_a_stall_after_two_seconds() -> None:
    assert said(1.9, live=False) == []
    assert said(2.2, live=False) == ["stalled"]


def test_dark_samples_are_a_black_picture_after_three_seconds() -> None:
    assert said(2.9, sample=bytes([16, 20])) == []
    assert said(10, sample=bytes([16, 20])) == ["black"]


def test_a_dark_room_with_one_lit_spot_is_not_black() -> None:
    assert "black" not in said(10, sample=bytes([16, 200]))


def test_equal_samples_are_a_frozen_picture_after_five_seconds() -> None:
    assert said(4.9, sample=bytes([90, 91])) == []
    assert said(10, sample=bytes([90, 91])) == ["frozen"]


def test_half_the_pictures_are_too_few() -> None:
    watch = PictureWatch(2 * FRAMERATE, 0.0, required=False)
    told = []
    for number in range(50):
        watch.picture(number / FRAMERATE)
        told.append(watch.change(number / FRAMERATE))
    codes = [status.code for status in told if status]
    assert codes == ["slow"]


def test_a_camera_without_samples_is_not_judged_by_them() -> None:
    watch = PictureWatch(FRAMERATE, 0.0, required=True)
    for number in range(200):
        watch.picture(number / FRAMERATE)
        assert watch.change(number / FRAMERATE) is None
