"""What every microphone driver promises: the port `Microphone`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent import settings
from agent.core.model.documents import Status
from agent.devices import registry
from agent.errors import DeviceError
from agent.ports import PERIOD_BYTES, Microphone
from tests.conformance import subjects
from tests.support.cable import CabledPcm
from tests.support.sounds import Sound, frequency, level_dbfs

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


def test_delivers_whole_periods_at_the_rate_that_it_says(microphone: Microphone) -> None:
    assert microphone.open().detail.rate_hz == 48_000
    assert {len(microphone.read()) for _ in range(20)} == {PERIOD_BYTES}


def test_delivers_the_sound_without_a_gap(microphone: Microphone) -> None:
    microphone.open()
    sound = listen(microphone, 100)
    assert frequency(sound) == pytest.approx(1000, abs=1)
    jumps = np.abs(np.diff(sound.astype(int)))
    assert jumps.max() < 2 * np.median(jumps) + 1000, "a click would be a jump"


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


def test_an_overrun_is_counted_and_its_junk_dropped(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("agent.devices.alsa.pcm.Pcm", CabledPcm)
    microphone = make(subjects.alsa_file_microphone(monkeypatch, tmp_path), tmp_path)
    microphone.open()
    heard = [microphone.read()]
    for _ in range(2):
        CabledPcm.cable.overruns = 1
        heard.append(microphone.read())
    assert {len(period) for period in heard} == {PERIOD_BYTES}
    assert b"junk" not in b"".join(heard)
    assert microphone.status().detail.xruns == 2
    microphone.close()
