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
from agent.core.documents import Status
from agent.devices import registry
from agent.devices.alsa.pcm import Pcm
from agent.devices.microphone import alsa
from agent.errors import DeviceAbsent, DeviceBusy, DeviceError
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


@pytest.fixture
def simulated(tmp_path: Path) -> Iterator[Microphone]:
    microphone = make(settings.Microphone(driver="simulated", tone_hz=1000), tmp_path)
    yield microphone
    microphone.close()


def test_opens_well_and_says_what_the_hardware_does(microphone: Microphone) -> None:
    status = microphone.open()
    assert status.status is Status.OK
    assert status.detail["rate_hz"] == 48_000
    assert status.detail["xruns"] == 0


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


def test_keeps_real_time_without_drift(simulated: Microphone) -> None:
    simulated.open()
    simulated.read()
    began = time.monotonic()
    listen(simulated, 200)
    assert time.monotonic() - began == pytest.approx(2, abs=0.05)


def test_a_late_reader_is_told_of_the_overrun(simulated: Microphone) -> None:
    simulated.open()
    simulated.read()
    time.sleep(0.5)
    simulated.read()
    assert simulated.status().detail["xruns"] == 1


def test_a_stalled_microphone_returns_nothing_in_time(
    simulated: Microphone, tmp_path: Path
) -> None:
    simulated.open()
    (tmp_path / "microphone").write_text("stalled")
    began = time.monotonic()
    assert simulated.read() == b""
    assert time.monotonic() - began < 0.4
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


def test_a_file_is_heard_over_and_over(tmp_path: Path) -> None:
    import wave

    samples = np.arange(1, 1001, dtype="<i2")
    with wave.open(str(tmp_path / "said.wav"), "wb") as file:
        file.setparams((1, 2, 48_000, 0, "NONE", ""))
        file.writeframes(samples.tobytes())
    wanted = settings.Microphone(driver="simulated", source=str(tmp_path / "said.wav"))
    microphone = make(wanted, tmp_path)
    microphone.open()
    heard = listen(microphone, 5)
    microphone.close()
    assert np.array_equal(heard, np.resize(samples, len(heard)))


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
    """Between the driver and alsa-lib's file PCM: pulled out, reads fail as those of a USB card."""

    plugged = True

    def __init__(self, pcm: Any) -> None:
        self._pcm = pcm

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pcm, name)

    def read(self) -> tuple[int, bytes]:
        if not Cable.plugged:
            raise alsaaudio.ALSAAudioError(f"{os.strerror(errno.ENODEV)} [plughw:CARD=Jabra]")
        frames, sound = self._pcm.read()
        return frames, sound


class CabledPcm(Pcm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pcm = Cable(self._pcm)


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
        Cable.plugged = False

    def plug(self, index: int) -> None:
        asound.plug_card(self.sysfs, "Jabra", index)
        Cable.plugged = True

    def hears(self) -> bool:
        try:
            return len(self.microphone.read()) == PERIOD_BYTES
        except DeviceAbsent:
            return False


@pytest.fixture
def replugged(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Replugged]:
    monkeypatch.setattr("agent.devices.alsa.pcm.Pcm", CabledPcm)
    monkeypatch.setattr(Cable, "plugged", True)
    replugged = Replugged(monkeypatch, tmp_path)
    yield replugged
    replugged.microphone.close()


def test_a_card_that_is_unplugged_is_opened_again_when_it_is_back(replugged: Replugged) -> None:
    microphone = replugged.microphone
    assert replugged.hears()
    replugged.unplug()
    with pytest.raises(DeviceAbsent, match="Jabra"):
        microphone.read()
    assert microphone.status().status is Status.ABSENT
    assert not replugged.hears()
    replugged.plug(index=3)
    wait_for(replugged.hears, 5, "sound again, though the card's index is another now")
    assert microphone.status().status is Status.OK


class SilentPcm(Pcm):
    """A card that delivers nothing at all until it has been opened again."""

    opened = 0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        SilentPcm.opened += 1

    def read(self) -> bytes:
        return super().read() if SilentPcm.opened > 1 else b""

    def wait(self, seconds: float) -> None:
        time.sleep(seconds)


def test_a_card_that_falls_silent_is_told_and_opened_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("agent.devices.alsa.pcm.Pcm", SilentPcm)
    replugged = Replugged(monkeypatch, tmp_path)
    microphone = replugged.microphone
    assert microphone.read() == b""
    assert microphone.status().detail["silences"] == 1

    def stalled() -> bool:
        return not replugged.hears() and microphone.status().code == "stalled"

    wait_for(stalled, 5, "the fault")
    wait_for(replugged.hears, 5, "sound again")
    assert microphone.status().status is Status.OK
    microphone.close()
