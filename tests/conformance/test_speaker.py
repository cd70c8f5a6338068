"""What every loudspeaker driver promises: the port `Speaker`."""

from __future__ import annotations

import errno
import time
import wave
from collections.abc import Iterator
from pathlib import Path

import alsaaudio
import numpy as np
import pytest

from agent import settings
from agent.devices import registry
from agent.devices.alsa.cards import card_of
from agent.devices.alsa.mixer import MUTES
from agent.devices.alsa.pcm import Pcm
from agent.devices.speaker.volume import decibels, gain
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES, Speaker
from tests.conformance import subjects
from tests.support.sounds import Sound, level_dbfs, tone


def make(wanted: settings.Speaker, folder: Path) -> Speaker:
    return registry.speaker(wanted, settings.Simulation(directory=str(folder)))


def play(speaker: Speaker, periods: int) -> Sound:
    said = tone(1000, 0, periods * PERIOD_FRAMES)
    for period in np.split(said, periods):
        speaker.write(period.tobytes())
    return said


def heard(folder: Path) -> Sound:
    with wave.open(str(folder / "heard.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (48_000, 1, 2)
        return np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")


def heard_sound(folder: Path) -> Sound:
    """What was heard without the silence of a start, or of underruns on a busy machine."""
    periods = heard(folder).reshape(-1, PERIOD_FRAMES)
    return periods[periods.any(axis=1)].reshape(-1)


@pytest.fixture(
    params=[subjects.simulated_speaker, subjects.alsa_file_speaker, subjects.alsa_speaker],
    ids=["simulated", "alsa-file", "alsa-card"],
)
def speaker(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Speaker]:
    speaker = make(request.param(monkeypatch, tmp_path), tmp_path)
    yield speaker
    speaker.close()


@pytest.fixture
def simulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Speaker]:
    speaker = make(subjects.simulated_speaker(monkeypatch, tmp_path), tmp_path)
    yield speaker
    speaker.close()


def test_opens_well_and_says_how_the_volume_is_made(speaker: Speaker) -> None:
    assert speaker.open().detail.mixer


def test_takes_sound_and_says_how_much_waits(speaker: Speaker) -> None:
    speaker.open()
    play(speaker, 50)
    assert 0 <= speaker.delay_seconds() < 0.5


@pytest.mark.parametrize("subject", [subjects.simulated_speaker, subjects.alsa_file_speaker])
def test_what_is_written_is_heard_sample_for_sample(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, subject: subjects.Prepare
) -> None:
    speaker = make(subject(monkeypatch, tmp_path), tmp_path)
    speaker.open()
    said = play(speaker, 50)
    speaker.close()
    assert np.array_equal(heard_sound(tmp_path), said)


@pytest.mark.parametrize("subject", [subjects.simulated_speaker, subjects.alsa_file_speaker])
def test_volume_changes_what_is_heard(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, subject: subjects.Prepare
) -> None:
    speaker = make(subject(monkeypatch, tmp_path), tmp_path)
    speaker.open()
    speaker.set_volume(50)
    said = play(speaker, 50)
    speaker.close()
    assert level_dbfs(heard_sound(tmp_path)) == pytest.approx(level_dbfs(said) - 18, abs=1)


def test_volume_zero_is_silence(simulated: Speaker, tmp_path: Path) -> None:
    simulated.open()
    simulated.set_volume(0)
    play(simulated, 10)
    assert not heard(tmp_path).any()


def test_a_pause_is_recorded_as_silence(simulated: Speaker, tmp_path: Path) -> None:
    simulated.open()
    play(simulated, 5)
    before = simulated.status().detail.xruns
    time.sleep(0.3)
    play(simulated, 5)
    assert simulated.status().detail.xruns > before
    assert len(heard(tmp_path)) >= 30 * PERIOD_FRAMES


def test_the_recording_is_valid_while_it_grows(simulated: Speaker, tmp_path: Path) -> None:
    simulated.open()
    play(simulated, 5)
    first = len(heard(tmp_path))
    play(simulated, 5)
    assert len(heard(tmp_path)) >= first + 5 * PERIOD_FRAMES


def test_a_dead_loudspeaker_plays_nothing(simulated: Speaker, tmp_path: Path) -> None:
    simulated.open()
    (tmp_path / "speaker").write_text("dead")
    play(simulated, 10)
    assert not heard(tmp_path).any()


class UnderrunPcm(Pcm):
    """A card that ran dry before the third write, as pyalsaaudio tells it."""

    writes = 0

    def write(self, sound: bytes) -> int:
        self.writes += 1
        if self.writes == 3:
            self.xruns += 1
            return -errno.EPIPE
        return super().write(sound)


def test_after_an_underrun_playing_starts_again_with_a_lead(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("agent.devices.alsa.pcm.Pcm", UnderrunPcm)
    speaker = make(subjects.alsa_file_speaker(monkeypatch, tmp_path), tmp_path)
    speaker.open()
    said = play(speaker, 2).tobytes()
    assert speaker.status().detail.xruns == 1
    speaker.close()
    lead = bytes(2 * PERIOD_BYTES)
    expected = lead + said[:PERIOD_BYTES] + lead + said[PERIOD_BYTES:]
    assert heard(tmp_path).tobytes() == expected


def test_a_card_with_a_volume_of_its_own_is_set_there_and_unmuted(tmp_path: Path) -> None:
    device = subjects.named("DIEMCAU_TEST_MIXER", "sound card with a mixer")
    speaker = make(settings.Speaker(driver="alsa", device=device, volume=70), tmp_path)
    name = speaker.open().detail.mixer
    assert name != "software"

    def below_loudest_db() -> float:
        control = alsaaudio.Mixer(control=name, device=f"hw:CARD={card_of(device)}")
        if MUTES & set(control.switchcap()):
            assert control.getmute()[0] == 0
        _, loudest = control.getrange(units=alsaaudio.VOLUME_UNITS_DB)
        return float(control.getvolume(units=alsaaudio.VOLUME_UNITS_DB)[0] - loudest) / 100

    for percent in (70, 40):
        speaker.set_volume(percent)
        assert below_loudest_db() == pytest.approx(decibels(gain(percent)), abs=1)
    speaker.close()
