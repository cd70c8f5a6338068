"""What every microphone driver promises: the port `Microphone`."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import alsaaudio
import numpy as np
import pytest

from agent import settings
from agent.core.model.documents import Status
from agent.devices import registry
from agent.devices.alsa.pcm import Pcm
from agent.devices.microphone import alsa
from agent.errors import DeviceAbsent, DeviceBusy, DeviceError, DeviceTimeout
from agent.ports import PERIOD_BYTES, Microphone
from tests.conformance import subjects
from tests.support import asound
from tests.support.sounds import Sound, frequency, level_dbfs
from tests.support.waiting import wait_for

ALL = [subjects.simulated_microphone, subjects.alsa_file_microphone, subjects.alsa_microphone]
IDS = ["simulated", "alsa-file", "alsa-card"]


def make(wanted: settings.Microphone, folder: Path) -> Microphone:
    return registry.microphone(wanted, settings.Simulation(directory=str(folder)))


def listen(microphone: Microphone, periods: int) -> Sound:
    heard = b"".join(microphone.read() for _ in range(periods))
    return np.frombuffer(heard, dtype="<i2")


@pytest.fixture(params=ALL, ids=IDS)
def microphone(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Microphone]:
    microphone = make(request.param(monkeypatch, tmp_path), tmp_path)
    yield microphone
    microphone.close()


@pytest.fixture(
    params=[subjects.simulated_microphone, subjects.alsa_microphone], ids=["simulated", "alsa-card"]
)
def paced(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Microphone]:
    """Those that deliver in real time, as alsa-lib's file PCM does not."""
    microphone = make(request.param(monkeypatch, tmp_path), tmp_path)
    yield microphone
    microphone.close()


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Microphone]:
    microphone = make(settings.Microphone(driver="simulated", tone_hz=1000), tmp_path)
    yield microphone
    microphone.close()


def test_opens_well_and_says_what_the_hardware_does(microphone: Microphone) -> None:
    status = microphone.open()
    assert status.status is Status.OK
    assert status.detail.rate_hz == 48_000
    assert status.detail.xruns == 0


def test_delivers_whole_periods(microphone: Microphone) -> None:
    microphone.open()
    assert {len(microphone.read()) for _ in range(20)} == {PERIOD_BYTES}


def test_delivers_the_sound_without_a_gap(microphone: Microphone) -> None:
    microphone.open()
    sound = listen(microphone, 100)
    assert frequency(sound) == pytest.approx(1000, abs=1)
    jumps = np.abs(np.diff(sound.astype(int)))
    assert jumps.max() < 2 * np.median(jumps) + 1000, "a click would be a jump"


def test_closing_may_be_repeated(microphone: Microphone) -> None:
    microphone.open()
    microphone.read()
    microphone.close()
    microphone.close()


def test_can_be_opened_again_after_closing(microphone: Microphone) -> None:
    microphone.open()
    microphone.close()
    microphone.open()
    assert len(microphone.read()) == PERIOD_BYTES


def test_keeps_real_time_without_drift(paced: Microphone) -> None:
    paced.open()
    paced.read()
    began = time.monotonic()
    listen(paced, 200)
    assert 1.9 < time.monotonic() - began < 3, "not faster; a busy machine may be slower"


def test_a_late_reader_is_told_of_the_overrun_and_hears_on(paced: Microphone) -> None:
    paced.open()
    paced.read()
    time.sleep(0.5)
    listen(paced, 10)
    assert paced.status().detail.xruns >= 1


def test_a_stalled_microphone_returns_nothing_in_time(
    simulated: Microphone, tmp_path: Path
) -> None:
    simulated.open()
    (tmp_path / "microphone").write_text("stalled")
    began = time.monotonic()
    assert simulated.read() == b""
    assert time.monotonic() - began < 3
    assert simulated.status().code == "stalled"


def test_unplugged_in_use_and_plugged_in_again(simulated: Microphone, tmp_path: Path) -> None:
    simulated.open()
    (tmp_path / "microphone").write_text("unplugged")
    with pytest.raises(DeviceAbsent, match="check its cable"):
        simulated.read()
    assert simulated.status().status is Status.ABSENT
    (tmp_path / "microphone").write_text("")
    assert len(simulated.read()) == PERIOD_BYTES
    assert simulated.status().status is Status.OK


def test_absent_and_busy_are_told_apart_at_opening(simulated: Microphone, tmp_path: Path) -> None:
    (tmp_path / "microphone").write_text("unplugged")
    with pytest.raises(DeviceAbsent):
        simulated.open()
    (tmp_path / "microphone").write_text("busy")
    with pytest.raises(DeviceBusy, match="another program"):
        simulated.open()


@pytest.mark.parametrize(
    ("fault", "lowest", "highest"),
    [("dead", float("-inf"), float("-inf")), ("quiet", -80, -70), ("clipping", -3, 0)],
)
def test_faults_of_level_are_heard(
    simulated: Microphone, tmp_path: Path, fault: str, lowest: float, highest: float
) -> None:
    simulated.open()
    (tmp_path / "microphone").write_text(fault)
    assert lowest <= level_dbfs(listen(simulated, 20)) <= highest


def test_a_dead_microphone_is_a_named_fault_until_it_speaks_again(
    simulated: Microphone, tmp_path: Path
) -> None:
    simulated.open()
    (tmp_path / "microphone").write_text("dead")
    listen(simulated, 600)
    assert simulated.status().status is Status.FAILED
    assert simulated.status().code == "dead"
    (tmp_path / "microphone").write_text("")
    listen(simulated, 200)
    assert simulated.status().status is Status.OK
    assert simulated.status().detail.level_dbfs == pytest.approx(-15, abs=1)


def test_a_file_is_heard_over_and_over_in_step_with_the_clock(tmp_path: Path) -> None:
    import wave

    samples = np.arange(1, 1001, dtype="<i2")
    with wave.open(str(tmp_path / "said.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    wanted = settings.Microphone(driver="simulated", source=str(tmp_path / "said.wav"))
    microphone = make(wanted, tmp_path)
    opening = time.monotonic()
    microphone.open()
    opened = time.monotonic()
    heard = listen(microphone, 5)
    microphone.close()
    first = int(heard[0]) - 1
    assert np.array_equal(heard, (first + np.arange(len(heard))) % 1000 + 1)
    possible = range(int(opening * 48_000), int(opened * 48_000) + 1)
    assert any(at % 1000 == first for at in possible), "the file begins at a multiple of its length"


def test_a_file_of_another_rate_is_refused_with_advice(tmp_path: Path) -> None:
    import wave

    with wave.open(str(tmp_path / "said.wav"), "wb") as file:
        file.setparams((1, 2, 44_100, 0, "NONE", ""))
        file.writeframes(bytes(200))
    wanted = settings.Microphone(driver="simulated", source=str(tmp_path / "said.wav"))
    with pytest.raises(DeviceError, match=r"sox .* -r 48000"):
        make(wanted, tmp_path).open()


def test_a_card_that_cannot_do_mono_is_refused_with_advice(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    subjects.file_pcms(monkeypatch, tmp_path)
    microphone = make(settings.Microphone(driver="alsa", device="stereo_only"), tmp_path)
    with pytest.raises(DeviceError, match=r"2 channels.*use plughw"):
        microphone.open()


def test_the_absence_of_a_card_names_the_ones_that_are_there(tmp_path: Path) -> None:
    microphone = make(
        settings.Microphone(driver="alsa", device="plughw:CARD=Jabra,DEV=0"), tmp_path
    )
    with pytest.raises(DeviceAbsent, match=r"no sound card 'Jabra' found.*\(found: "):
        microphone.open()


class Cable:
    """Between the driver and alsa-lib's file PCM: does to it what USB cables and kernels do."""

    def __init__(self, pcm: Any) -> None:
        self._pcm = pcm
        self.plugged = True
        self.overruns = 0
        self.close_seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pcm, name)

    def read(self) -> tuple[int, bytes]:
        if not self.plugged:
            raise alsaaudio.ALSAAudioError(f"{os.strerror(errno.ENODEV)} [plughw:CARD=Jabra]")
        if self.overruns:
            self.overruns -= 1
            return -errno.EPIPE, b"junk of any length"
        frames, sound = self._pcm.read()
        return frames, sound

    def close(self) -> None:
        time.sleep(self.close_seconds)
        self._pcm.close()


class CabledPcm(Pcm):
    """Its cable is the last one made."""

    cable: Cable

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pcm = CabledPcm.cable = Cable(self._pcm)


class Replugged:
    """A microphone on a card that can be unplugged: a sysfs of our own and alsa-lib's file PCM."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        asound.file_pcms(monkeypatch, folder)
        self.sysfs = folder / "sys"
        asound.plug_card(self.sysfs, "Jabra")
        wanted = settings.Microphone(driver="alsa", device="plughw:CARD=Jabra,DEV=0")
        self.microphone = alsa.create(wanted, settings.Simulation(), self.sysfs)
        self.microphone.open()

    def unplug(self) -> None:
        asound.unplug_card(self.sysfs)
        CabledPcm.cable.plugged = False

    def plug(self, index: int) -> None:
        asound.plug_card(self.sysfs, "Jabra", index)

    def hears_again(self) -> bool:
        """As whoever uses the port does it: close it, and open it for another try."""
        self.microphone.close()
        try:
            self.microphone.open()
            return len(self.microphone.read()) == PERIOD_BYTES
        except DeviceAbsent:
            return False


@pytest.fixture
def replugged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Replugged]:
    monkeypatch.setattr("agent.devices.alsa.pcm.Pcm", CabledPcm)
    replugged = Replugged(monkeypatch, tmp_path)
    yield replugged
    replugged.microphone.close()


def test_an_unplugged_card_is_absent_and_opens_again_when_it_is_back(replugged: Replugged) -> None:
    replugged.microphone.read()
    replugged.unplug()
    with pytest.raises(DeviceAbsent, match="no sound card 'Jabra' found"):
        replugged.microphone.read()
    assert not replugged.hears_again()
    replugged.plug(index=3)
    assert replugged.hears_again(), "though the card's index is another now"
    assert replugged.microphone.status().status is Status.OK


def test_an_overrun_is_counted_and_its_junk_dropped(replugged: Replugged) -> None:
    heard = [replugged.microphone.read()]
    for _ in range(2):
        CabledPcm.cable.overruns = 1
        heard.append(replugged.microphone.read())
    assert {len(period) for period in heard} == {PERIOD_BYTES}
    assert b"junk" not in b"".join(heard)
    assert replugged.microphone.status().detail.xruns == 2


def test_a_card_that_does_not_close_holds_nobody(replugged: Replugged) -> None:
    CabledPcm.cable.close_seconds = 3
    began = time.monotonic()
    replugged.microphone.close()
    assert time.monotonic() - began < 2


class SilentPcm(Pcm):
    """A card that is there and delivers nothing at all."""

    def read(self) -> bytes:
        return b""

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def test_a_card_that_falls_silent_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("agent.devices.alsa.pcm.Pcm", SilentPcm)
    microphone = make(subjects.alsa_file_microphone(monkeypatch, tmp_path), tmp_path)
    microphone.open()
    began = time.monotonic()
    assert microphone.read() == b""
    assert time.monotonic() - began < 3
    assert microphone.status().detail.silences == 1
    with pytest.raises(DeviceTimeout, match=r"no sound arrives.*replug"):
        wait_for(lambda: microphone.read() != b"", 5, "the fault")
    microphone.close()
