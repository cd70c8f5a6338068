"""A call is heard before the engine is loaded, which takes seconds on a Pi; and what comes meanwhile counts at once."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from msgspec import structs

from agent.core.model.announcement import Called
from agent.core.model.media import Fault, Ready, SetAnnouncement, StandbyPlan
from agent.media.process import EXIT_FAULT
from agent.media.sound.chime import CHIME, CHIME_PEAK, CHIME_SECONDS, Repeated
from agent.ports import SAMPLE_RATE_HZ
from tests.media.rooms import plan, room
from tests.support.media_process import MediaProcess
from tests.support.sounds import frequency
from tests.support.waiting import wait_for

CALL = Called("Bão số 5", chime=True, volume=50)
HEADER_BYTES = 44
"""Of a WAV file."""

STANDBY = StandbyPlan("xa-001", "Xã 1", CALL)


@pytest.fixture
def loading(tmp_path: Path) -> Iterator[MediaProcess]:
    """A media process whose engine is never there."""
    devices = room(record=str(tmp_path / "heard.wav"), folder=str(tmp_path))
    with MediaProcess(devices, program=("tests.support.slow_engine",)) as process:
        yield process
        assert process.said(Ready) == []


def heard(folder: Path) -> bool:
    """Whether the file has more than its header and silence; it may be there and empty yet."""
    file = folder / "heard.wav"
    return file.exists() and any(file.read_bytes()[HEADER_BYTES:])


def opened(folder: Path) -> set[str]:
    return {path.stem for path in folder.glob("*.open")}


def test_a_call_rings_and_hushes_while_the_engine_loads(
    loading: MediaProcess, tmp_path: Path
) -> None:
    loading.start(STANDBY)
    wait_for(lambda: heard(tmp_path), 10, "the chime")
    assert opened(tmp_path) == {"speaker"}, "no microphone, no camera"
    loading.send(SetAnnouncement(None))
    wait_for(lambda: not opened(tmp_path), 5, "the end of it")
    loading.send(SetAnnouncement(CALL))
    wait_for(lambda: opened(tmp_path) == {"speaker"}, 5, "another call")


def test_who_is_told_to_stop_does_not_load_to_its_end(
    loading: MediaProcess, tmp_path: Path
) -> None:
    """A call that somebody answers at once: the meeting waits for this process to be gone."""
    loading.start(STANDBY)
    wait_for(lambda: heard(tmp_path), 10, "the chime")
    assert loading.stop() == 0


def test_a_signal_ends_one_that_loads(loading: MediaProcess, tmp_path: Path) -> None:
    loading.start(STANDBY)
    wait_for(lambda: heard(tmp_path), 10, "the chime")
    loading.signal(signal.SIGTERM)
    assert loading.ended() == 0


def test_what_cannot_be_read_ends_it_and_is_told(loading: MediaProcess) -> None:
    """Else a meeting would wait for it until the join's time is over."""
    loading.start(plan(publish="http://127.0.0.1:9/whip", token="two words"))
    assert loading.ended() == EXIT_FAULT
    assert "token" in loading.wait(Fault).text


def test_in_a_meeting_the_loudspeaker_is_the_meetings(
    loading: MediaProcess, tmp_path: Path
) -> None:
    loading.start(structs.replace(plan(), announcement=CALL))
    loading.send(SetAnnouncement(None))
    assert loading.stop() == 0  # all of it was read by then
    assert not (tmp_path / "heard.wav").exists()


def test_the_chime_is_two_bars_without_a_click_in_pieces_of_any_length() -> None:
    whole = Repeated(CHIME, CHIME_SECONDS, CHIME_PEAK).next(2 * 2 * int(2 * SAMPLE_RATE_HZ))
    pieces = Repeated(CHIME, CHIME_SECONDS, CHIME_PEAK)
    parts = [pieces.next(length) for length in (960, 2, 47_040, 96_000, 240_000 - 2)]
    assert b"".join(parts) == whole
    sound = np.frombuffer(whole, "<i2").astype(int)
    half = SAMPLE_RATE_HZ // 2
    assert frequency(sound[:half].astype("<i2")) == pytest.approx(880, abs=5)
    assert frequency(sound[half:][half // 2 : half].astype("<i2")) == pytest.approx(659.3, abs=10)
    assert np.array_equal(sound[: 2 * SAMPLE_RATE_HZ], sound[2 * SAMPLE_RATE_HZ :]), "and again"
    assert np.abs(np.diff(sound)).max() < 4_000
