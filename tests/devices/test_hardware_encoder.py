"""The Pi's encoder, on a stand-in that behaves as its driver does, and what happens when it fails."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import pytest

from agent.core.model.documents import DeviceStatus
from agent.core.model.h264 import level
from agent.devices.camera import encoder, hardware_encoder, streaming
from agent.devices.camera import v4l2_structures as v4l2
from agent.devices.camera.annexb import nal_units
from agent.devices.camera.encoder import SOFTWARE, Encoder, H264Encoder, Shape
from agent.devices.camera.hardware_encoder import NAME, HardwareEncoder
from agent.devices.camera.pattern import Pattern
from agent.devices.camera.source import SourceFormat
from agent.devices.camera.streaming import StreamingCamera
from agent.errors import DeviceAbsent, DeviceError
from agent.ports import AccessUnit
from tests.support.pi_encoder import PiEncoder
from tests.support.waiting import wait_for

SHAPE = Shape(640, 360, 30, 500_000)
"""360 lines are no multiple of 16, and the stand-in pads them, as the driver may."""

PATH = Path("/dev/video11")


def encoded(by: Encoder, pictures: int, ask_at: int = -1) -> list[AccessUnit]:
    pattern = Pattern(0, SHAPE.width, SHAPE.height)
    units: list[AccessUnit] = []
    for number in range(pictures):
        if number == ask_at:
            by.request_keyframe()
        units += by.encode(pattern.draw(number), 100 + number / 30)
    return units


def decoded(units: list[AccessUnit]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    return [picture for unit in units for picture in decoder.decode(av.Packet(unit.data))]


@pytest.mark.parametrize("apart", [False, True], ids=["sets-with-keyframes", "sets-apart"])
def test_every_picture_can_be_decoded_from_any_keyframe_on(apart: bool) -> None:
    """FFmpeg asks the Pi's driver for sets apart, unflagged: 0 of 60 pictures decoded then."""
    units = encoded(HardwareEncoder(SHAPE, PATH, PiEncoder(apart=apart)), 60, ask_at=30)
    assert len(units) == 60
    assert [number for number, unit in enumerate(units) if unit.keyframe] == [0, 30]
    assert len(decoded(units[30:])) == 30
    assert [unit.captured_monotonic_seconds for unit in units] == [100 + n / 30 for n in range(60)]


def test_the_same_packets_from_ffmpeg_can_be_decoded_too() -> None:
    class Apart:
        """x264, its parameter sets cut off and given once, alone, without the keyframe's flag."""

        def __init__(self, inner: Any) -> None:
            object.__setattr__(self, "inner", inner)
            object.__setattr__(self, "given", False)

        def __setattr__(self, name: str, value: object) -> None:
            setattr(self.inner, name, value)

        def encode(self, picture: av.VideoFrame) -> Iterator[Any]:
            for packet in self.inner.encode(picture):
                data = bytes(packet)
                slices = next(at for at, kind in nal_units(data) if kind in (1, 5, 6))
                if not self.given:  # type: ignore[attr-defined]
                    object.__setattr__(self, "given", True)
                    yield av.Packet(data[:slices])
                rest = av.Packet(data[slices:])
                rest.pts = packet.pts
                yield rest

    whole = H264Encoder(*SHAPE)
    whole._context = Apart(whole._context)  # type: ignore[assignment]
    units = encoded(whole, 60, ask_at=30)
    assert len(decoded(units)) == 60
    assert len(decoded(units[30:])) == 30


def test_padded_lines_and_heights_leave_the_picture_as_it_is() -> None:
    shape = Shape(328, 184, 30, 2_000_000)
    picture = Pattern(5, shape.width, shape.height).draw(0b1010)
    units = list(HardwareEncoder(shape, PATH, PiEncoder()).encode(picture, 1.0))
    seen, shown = decoded(units)[0].to_ndarray(format="gray"), picture.to_ndarray(format="gray")
    difference = abs(seen[:184, :328].astype(int) - shown.astype(int))
    assert difference.mean() < 3


def test_a_new_bitrate_is_set_while_it_runs_and_makes_no_keyframe() -> None:
    kernel = PiEncoder()
    by = HardwareEncoder(SHAPE, PATH, kernel)
    encoded(by, 10)
    by.set_bitrate(200_000)
    assert not any(unit.keyframe for unit in encoded(by, 10))
    by.set_bitrate(10**9)
    encoded(by, 1)
    rates = [value for number, value in kernel.history if number == v4l2.BITRATE]
    assert rates == [500_000, 200_000, 500_000]
    assert kernel.opened == 1


def test_profile_and_level_are_what_the_offer_says() -> None:
    kernel = PiEncoder()
    HardwareEncoder(Shape(1280, 720, 30, 1_500_000), PATH, kernel)
    assert kernel.controls[v4l2.H264_PROFILE] == v4l2.CONSTRAINED_BASELINE
    assert kernel.controls[v4l2.H264_LEVEL] == v4l2.LEVEL_NUMBERS[31]
    units = list(H264Encoder(1280, 720, 30, 1_500_000).encode(Pattern(0, 1280, 720).draw(0), 1.0))
    sets = next(at for at, kind in nal_units(units[0].data) if kind == 7)
    assert units[0].data[sets:].lstrip(b"\0")[2:5].hex() in ("42c01f", "42e01f")
    assert [level(1280, 720, 60), level(1920, 1080, 30), level(1920, 1080, 60)] == [32, 40, 42]


def test_an_encoder_that_refuses_the_profile_is_not_taken() -> None:
    kernel = PiEncoder(refuses=frozenset({v4l2.H264_PROFILE}))
    with pytest.raises(DeviceError, match=NAME):
        HardwareEncoder(SHAPE, PATH, kernel)
    assert kernel.closed


def test_an_encoder_without_parameter_sets_is_refused() -> None:
    with pytest.raises(DeviceError, match="parameter sets"):
        encoded(HardwareEncoder(SHAPE, PATH, PiEncoder(without_sets=True)), 2)


def test_a_picture_that_the_firmware_could_not_encode_is_left_out() -> None:
    """bcm2835-codec gives such a buffer back without a byte (VB2_BUF_STATE_ERROR)."""
    units = encoded(HardwareEncoder(SHAPE, PATH, PiEncoder(broken_at=4)), 10)
    assert len(units) == 9


@pytest.mark.parametrize("control", [v4l2.BITRATE, v4l2.FORCE_KEY_FRAME])
def test_an_encoder_that_does_not_obey_while_it_runs_is_refused(control: int) -> None:
    """It would send more than the link carries, or a picture that nobody who comes later can see."""
    by = HardwareEncoder(SHAPE, PATH, PiEncoder(refuses_later=frozenset({control})))
    encoded(by, 3)
    by.set_bitrate(200_000)
    by.request_keyframe()
    with pytest.raises(DeviceError, match=f"refuses control {control:#x}"):
        encoded(by, 1)


def test_no_call_waits_for_an_encoder_that_hangs() -> None:
    by = HardwareEncoder(SHAPE, PATH, PiEncoder(hangs_after=3))
    began = time.monotonic()
    assert len(encoded(by, 12)) == 3
    assert time.monotonic() - began < 15


# --- which one is taken


def board(folder: Path, *names: str) -> Path:
    for number, name in enumerate(names, 10):
        node = folder / "class" / "video4linux" / f"video{number}"
        node.mkdir(parents=True)
        (node / "name").write_text(f"{name}\n")
    return folder


def test_a_pi_4_has_one_and_a_pi_5_is_not_asked(tmp_path: Path) -> None:
    codec = "bcm2835-codec-"
    pi_4 = board(tmp_path / "4", *(codec + k for k in ("decode", "encode_image", "encode", "isp")))
    pi_5 = board(tmp_path / "5", "rpi-hevc-dec", "pispbe-input")
    assert hardware_encoder.find(pi_4) == Path("/dev/video12")
    assert hardware_encoder.find(pi_5) is None


class Pattering:
    """A source of test pictures in real time."""

    def __init__(self) -> None:
        self.opened = 0
        self._pattern = Pattern(0, SHAPE.width, SHAPE.height)

    def open(self) -> SourceFormat:
        self.opened += 1
        return SourceFormat(SHAPE.width, SHAPE.height, SHAPE.framerate, "pattern")

    def read(self) -> tuple[av.VideoFrame, float]:
        time.sleep(1 / SHAPE.framerate)
        return self._pattern.draw(round(time.monotonic() * 30)), time.monotonic()

    def close(self) -> None:
        """Nothing to close."""


class Blocking(H264Encoder):
    """Gives three pictures, then waits for ever, as FFmpeg does for a Pi's encoder that hangs."""

    def encode(self, picture: av.VideoFrame, captured_seconds: float) -> Iterator[AccessUnit]:
        self._left = getattr(self, "_left", 3) - 1
        if self._left < 0:
            time.sleep(60)
        return super().encode(picture, captured_seconds)


def blocking() -> Encoder:
    by = Blocking(*SHAPE)
    by.hardware = True
    return by


def falling_back(monkeypatch: pytest.MonkeyPatch, broken: Encoder) -> list[DeviceStatus]:
    """What a camera tells whose first encoder is this one; it goes on with the software's."""
    monkeypatch.setattr(streaming, "HUNG_SECONDS", 0.6)
    monkeypatch.setattr(streaming, "STOP_SECONDS", 0.2)
    units, told = list[AccessUnit](), list[DeviceStatus]()

    def choose(shape: Shape, *, hardware: bool) -> Encoder:
        return broken if hardware else encoder.best(shape, hardware=False)

    camera = StreamingCamera(Pattering(), 500_000, required=True, choose=choose)
    given = camera.start(units.append, told.append)
    assert given.hardware
    wait_for(lambda: camera.format and not camera.format.hardware, 10, "the encoder in software")
    before = len(units)
    wait_for(lambda: len(units) > before + 5, 10, "pictures of it")
    camera.close()
    assert camera.format is not None
    assert camera.format.encoder == SOFTWARE
    assert units[before].keyframe
    return told


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: HardwareEncoder(SHAPE, PATH, PiEncoder(hangs_after=3)), "stalled"),
        (lambda: HardwareEncoder(SHAPE, PATH, PiEncoder(without_sets=True)), "encoder"),
        (blocking, "stalled"),
    ],
    ids=["hangs", "no-parameter-sets", "blocks-for-ever"],
)
def test_the_encoder_in_software_takes_over(
    monkeypatch: pytest.MonkeyPatch, make: Any, code: str
) -> None:
    told = falling_back(monkeypatch, make())
    assert told[0].code == code


class Odd(Pattering):
    """A source that cannot be read once, and whose library then fails in a way of its own, for a while."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = False

    def open(self) -> SourceFormat:
        opened = super().open()
        if self.opened == 2:
            raise FileNotFoundError("/sys/class/video4linux/video0/index")
        if self.opened == 3:
            raise IndexError("list index out of range")
        return opened

    def read(self) -> tuple[av.VideoFrame, float]:
        if self.broken:
            self.broken = False
            raise DeviceAbsent("absent", "Camera: not there")
        return super().read()


def test_a_camera_is_tried_again_whatever_its_library_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """picamera2 lets an IndexError through when its camera has just gone, sysfs a FileNotFoundError."""
    monkeypatch.setattr(streaming, "REOPEN_SECONDS", 0.1)
    source, units = Odd(), list[AccessUnit]()
    camera = StreamingCamera(source, 500_000, required=True, hardware=False)
    camera.start(units.append, lambda _: None)
    wait_for(lambda: units, 10, "pictures")
    source.broken = True
    wait_for(lambda: source.opened >= 4, 10, "further tries")
    before = len(units)
    wait_for(lambda: len(units) > before + 5, 10, "pictures again")
    camera.close()
