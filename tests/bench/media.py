"""How late and how whole pictures and sound arrive.

720p at 30 pictures and 1.5 Mbit/s through the test server on loopback; loss and delay by
`tests.support.impairment`, 5 % each way at 100 ms round trip.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from agent.core.model.commands import Endpoint, Source
from agent.core.model.media import MeetingPlan, UplinkReported
from agent.devices import registry
from agent.settings import Camera, Devices, Microphone, Simulation, Speaker
from tests.bench.row import Row
from tests.support.impairment import BadNetwork, Conditions
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.sounds import RATE_HZ, purity, read_wav
from tests.support.viewer import captured_seconds, viewing

FRAMERATE = 30
TONE_HZ = 440.0
MEASURE_SECONDS = 10.0
ADAPT_SECONDS = 10.0
LIMIT_DELAY_MILLISECONDS, LIMIT_LOSSY_DELAY_MILLISECONDS = 100, 700
LIMIT_LOSSY_FRAMES, LIMIT_LOSSY_SOUND_PERCENT = 27, 98

SENDING = Devices(
    camera=Camera(driver="simulated"), microphone=Microphone(driver="simulated", tone_hz=TONE_HZ)
)


def measure() -> list[Row]:
    """Delay from capture to decoded and due, intact pictures and sound."""
    with MediaServer() as server, BadNetwork(server.url) as network:
        good = watch(network, Conditions())
        lossy = watch(network, Conditions(loss=0.05, delay_seconds=0.05))
    return [
        Row("delay of the picture, median", good.delay(50), "ms", LIMIT_DELAY_MILLISECONDS),
        Row("... at 5 % loss, 95th", lossy.delay(95), "ms", LIMIT_LOSSY_DELAY_MILLISECONDS),
        Row("intact pictures at 5 % loss", lossy.rate(), "/s", LIMIT_LOSSY_FRAMES, at_least=True),
        Row(
            "sound at 5 % loss", lossy.heard_percent, "%", LIMIT_LOSSY_SOUND_PERCENT, at_least=True
        ),
    ]


def plan(publish: str | None = None, play: str | None = None) -> MeetingPlan:
    return MeetingPlan(
        meeting="bench",
        room="bench",
        publish=Endpoint(publish) if publish else None,
        play=[Source(play)] if play else [],
        microphone_live=True,
        camera_live=True,
        speaker_volume=100,
    )


@contextlib.contextmanager
def sending(url: str) -> Iterator[MediaProcess]:
    with MediaProcess(SENDING) as process:
        process.start(plan(publish=url))
        process.wait(UplinkReported, lambda r: r.state == "flowing", 20)
        yield process
        process.stop()


class Watcher:
    """Takes what a downlink brings: when each picture was captured, when it was due, the sound."""

    def __init__(self, recording: Path) -> None:
        self._recording = recording
        self._seen: list[tuple[float, float]] = []
        self._from = self._until = 0.0
        self.heard_percent = 0.0

    def on_picture(self, sample: Any) -> None:
        now = time.monotonic()
        self._seen.append((now, now - captured_seconds(sample, FRAMERATE)))

    def take(self, seconds: float) -> None:
        self._from = time.monotonic()
        time.sleep(seconds)
        self._until = time.monotonic()

    def _window(self) -> list[float]:
        return [delay for at, delay in tuple(self._seen) if self._from <= at <= self._until]

    def delay(self, percentile: int) -> float:
        """Milliseconds."""
        return round(float(np.percentile(self._window(), percentile)) * 1000)

    def rate(self) -> float:
        return round(len(self._window()) / (self._until - self._from), 1)

    def listen(self) -> None:
        """Judge the recording while it is there: percent of 20 ms pieces with the tone whole."""
        sound = read_wav(self._recording)[-int((MEASURE_SECONDS - 2) * RATE_HZ) :]
        pieces = [sound[at : at + 960] for at in range(0, len(sound) - 960, 960)]
        whole = [purity(piece, TONE_HZ) > 0.9 for piece in pieces]
        self.heard_percent = round(100 * float(np.mean(whole)), 1)


def watch(network: BadNetwork, conditions: Conditions) -> Watcher:
    """The agent's own downlink and loudspeaker, in this process so that each picture can be read."""
    network.set(conditions)
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        sending(network.whip("watched")),
    ):
        recording = Path(folder) / "heard.wav"
        watcher = Watcher(recording)
        wanted = Speaker(driver="simulated", record=str(recording), volume=100)
        url = network.whep("watched")
        with viewing(url, lambda: registry.speaker(wanted, Simulation()), watcher.on_picture):
            time.sleep(ADAPT_SECONDS)
            watcher.take(MEASURE_SECONDS)
        watcher.listen()
    return watcher
