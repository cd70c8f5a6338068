"""The loudspeaker's feed on its own: what the room hears when no source has said anything yet."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from agent import settings
from agent.devices.speaker.simulated import SimulatedSpeaker
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter
from agent.media.sound.speaker import SpeakerFeed
from tests.support.waiting import wait_for

ONE_SECOND_BYTES = 48_000 * 2


@pytest.mark.parametrize("late_seconds", [0.0, 0.3, 1.0])
def test_the_mixer_plays_on_however_late_it_starts(tmp_path: Path, late_seconds: float) -> None:
    """It once ended for ever when its first deadline passed before its first sound."""
    heard = tmp_path / "heard.wav"
    wanted = settings.Speaker(driver="simulated", record=str(heard))
    clock = SharedClock()
    time.sleep(late_seconds)  # the fault's cause: the process's time has begun, the mixer has not
    feed = SpeakerFeed(
        clock,
        lambda: SimulatedSpeaker(wanted, settings.Simulation()),
        70,
        DeviceReporter("speaker", True, lambda report: None),
    )
    feed.start()
    try:
        wait_for(heard.exists, 5, "the loudspeaker open")
        wait_for(lambda: heard.stat().st_size > ONE_SECOND_BYTES, 5, "a second of sound")
    finally:
        feed.close()
