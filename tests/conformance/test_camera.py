"""What every camera driver promises: the port `Camera`, over all drivers that can be run here."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from agent import ports, settings
from agent.core.model.documents import DeviceStatus, Status
from agent.devices import registry
from agent.errors import DeviceBusy
from agent.ports import AccessUnit, CameraFormat
from tests.conformance import subjects
from tests.support.waiting import wait_for


class Rig:
    """A camera with everything that it has delivered."""

    def __init__(self, wanted: settings.Camera, folder: Path) -> None:
        self.wanted = wanted
        self.simulation = settings.Simulation(directory=str(folder))
        self.folder = folder
        self.camera: ports.Camera = registry.camera(wanted, self.simulation)
        self.units: list[AccessUnit] = []
        self.statuses: list[DeviceStatus] = []

    def start(self) -> CameraFormat:
        return self.camera.start(self.units.append, self.statuses.append)

    def await_units(self, count: int) -> None:
        wait_for(lambda: len(self.units) >= count, 60, f"{count} access units")

    def await_status(self, code: str, seconds: float = 10) -> DeviceStatus:
        def found() -> DeviceStatus | None:
            last = self.statuses[-1:]
            return last[0] if last and last[0].code == code else None

        return wait_for(found, seconds, f"status {code}, told so far: {self.statuses}")

    def break_with(self, fault: str) -> None:
        (self.folder / "camera").write_text(fault)


@pytest.fixture(
    params=[subjects.simulated_camera, subjects.picamera2, subjects.v4l2],
    ids=["simulated", "picamera2", "v4l2"],
)
def rig(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Rig]:
    rig = Rig(request.param(monkeypatch, tmp_path), tmp_path)
    yield rig
    rig.camera.close()


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(subjects.simulated_camera(monkeypatch, tmp_path), tmp_path)
    yield rig
    rig.camera.close()


def decode(units: list[AccessUnit]) -> list[av.VideoFrame]:
    decoder = av.CodecContext.create("h264", "r")
    assert isinstance(decoder, av.VideoCodecContext)
    return [picture for unit in units for picture in decoder.decode(av.Packet(unit.data))]


def nal_types(unit: AccessUnit) -> list[int]:
    parts = unit.data.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")[1:]
    return [part[0] & 0x1F for part in parts]


def test_delivers_h264_that_decodes_to_what_was_reported(rig: Rig) -> None:
    given = rig.start()
    rig.await_units(10)
    pictures = decode(rig.units[:10])
    assert {(picture.width, picture.height) for picture in pictures} == {
        (given.width, given.height)
    }
    assert given.encoder
    assert given.framerate > 0


def test_begins_with_a_keyframe_that_stands_alone(rig: Rig) -> None:
    rig.start()
    rig.await_units(1)
    assert rig.units[0].keyframe
    assert {7, 8, 5} <= set(nal_types(rig.units[0])), "SPS, PPS, IDR"


def test_sends_a_keyframe_when_asked(rig: Rig) -> None:
    rig.start()
    rig.await_units(5)
    before = len(rig.units)
    rig.camera.request_keyframe()
    wait_for(lambda: any(unit.keyframe for unit in rig.units[before:]), 5, "a keyframe")
    asked_for = next(unit for unit in rig.units[before:] if unit.keyframe)
    assert {7, 8, 5} <= set(nal_types(asked_for)), "SPS, PPS, IDR"


def test_capture_times_are_the_monotonic_clock_and_rise(rig: Rig) -> None:
    rig.start()
    rig.await_units(10)
    times = [unit.captured_monotonic_seconds for unit in rig.units]
    assert times == sorted(times)
    assert abs(time.monotonic() - times[-1]) < 1


def test_follows_a_lower_bitrate_within_a_second(simulated: Rig) -> None:
    simulated.camera.close()
    wanted = settings.Camera(driver="simulated", width=640, height=360, bitrate=1_500_000)
    rig = Rig(wanted, simulated.folder)
    rig.start()
    rig.await_units(30)
    rig.camera.set_bitrate(300_000)
    changed = len(rig.units)
    rig.await_units(changed + 60)
    rig.camera.close()
    second_after = rig.units[changed + 30 : changed + 60]
    assert 150_000 < sum(8 * len(unit.data) for unit in second_after) < 400_000


def test_closing_is_quick_and_may_be_repeated_and_ends_delivery(rig: Rig) -> None:
    rig.start()
    rig.await_units(1)
    began = time.monotonic()
    rig.camera.close()
    rig.camera.close()
    assert time.monotonic() - began < 3
    delivered = len(rig.units)
    assert not [thread for thread in threading.enumerate() if thread.name == "camera"]
    assert len(rig.units) == delivered


def test_can_be_opened_again_after_closing(rig: Rig) -> None:
    rig.start()
    rig.await_units(1)
    rig.camera.close()
    again = Rig(rig.wanted, rig.folder)
    again.start()
    again.await_units(1)
    again.camera.close()


def test_a_second_opening_is_told_that_the_camera_is_busy(rig: Rig) -> None:
    if rig.wanted.driver == "simulated":
        rig.break_with("busy")
    else:
        rig.start()
        rig.await_units(1)
    with pytest.raises(DeviceBusy, match="another program"):
        Rig(rig.wanted, rig.folder).start()


def test_closing_before_starting_is_no_error(rig: Rig) -> None:
    rig.camera.close()


def test_tells_of_a_black_picture_and_that_it_is_over(simulated: Rig) -> None:
    simulated.start()
    simulated.break_with("black")
    assert simulated.await_status("black").status is Status.DEGRADED
    simulated.break_with("")
    simulated.await_status("ok")


def test_tells_of_a_frozen_picture(simulated: Rig) -> None:
    simulated.start()
    simulated.break_with("frozen")
    assert "replug" in simulated.await_status("frozen").text


def test_tells_of_a_stalled_camera_and_that_it_is_over(simulated: Rig) -> None:
    simulated.start()
    simulated.await_units(1)
    simulated.break_with("stalled")
    assert simulated.await_status("stalled").status is Status.FAILED
    simulated.break_with("")
    simulated.await_status("ok")


def test_a_camera_that_stays_stalled_is_opened_again_and_not_called_well(simulated: Rig) -> None:
    simulated.start()
    simulated.break_with("stalled")
    simulated.await_status("stalled")
    wait_for(lambda: len(simulated.statuses) >= 2, 10, "the second word on it")
    assert {status.code for status in simulated.statuses} == {"stalled"}
    simulated.break_with("")
    simulated.await_status("ok")


def test_an_unplugged_camera_comes_back_by_itself(simulated: Rig) -> None:
    simulated.start()
    simulated.await_units(1)
    simulated.break_with("unplugged")
    assert simulated.await_status("absent").status is Status.ABSENT
    before = len(simulated.units)
    simulated.break_with("")
    simulated.await_status("ok")
    simulated.await_units(before + 5)
    assert simulated.units[before].keyframe, "a new stream begins with a keyframe"


def test_tells_of_too_few_pictures(simulated: Rig) -> None:
    simulated.start()
    simulated.break_with("slow")
    assert "of 15 pictures/s" in simulated.await_status("slow").text


def test_pictures_of_the_pattern_tell_their_capture_time(simulated: Rig) -> None:
    """The counter in the top row is the capture time in pictures of the monotonic clock."""
    simulated.start()
    simulated.await_units(10)
    for unit, picture in zip(simulated.units, decode(simulated.units[:10]), strict=False):
        luma = picture.planes[0]
        row = bytes(luma)[5 * luma.line_size :]
        counter = sum((row[bit * 20 + 10] > 125) << bit for bit in range(16))
        assert counter == round(unit.captured_monotonic_seconds * 15) % 65536


def test_a_usb_camera_that_is_pulled_out_comes_back_by_itself(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """vivid can be disconnected like a USB camera; loading it again plugs it in."""
    wanted = subjects.v4l2(monkeypatch, tmp_path)
    if wanted.device != "vivid":
        pytest.skip("DIEMCAU_TEST_V4L2 is not vivid, which alone can be pulled out by a program")
    rig = Rig(wanted, tmp_path)
    rig.start()
    rig.await_units(5)
    path = registry.probe_all(settings.Devices(camera=wanted))["camera"].detail.device
    subprocess.run(["v4l2-ctl", "-d", path, "-c", "disconnect=1"], check=True)
    assert rig.await_status("absent").status is Status.ABSENT
    before = len(rig.units)
    wait_for(lambda: vivid("--remove"), 10, "vivid let go of")
    assert vivid("n_devs=1", "node_types=0x1", "num_inputs=1", "input_types=0")
    rig.await_status("ok", seconds=30)
    rig.await_units(before + 5)
    rig.camera.close()


def vivid(*options: str) -> bool:
    flags = [option for option in options if option.startswith("--")]
    others = [option for option in options if not option.startswith("--")]
    return subprocess.run(["modprobe", *flags, "vivid", *others], check=False).returncode == 0
