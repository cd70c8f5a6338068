"""Echo cancellation as the agent does it: a simulated room gives back what its loudspeaker plays.

For each delay of the echo, and for cards whose clocks differ: how much quieter it leaves the room
(ERLE) with gain control at work, how much of a near voice is kept while both speak, and after how long.
"""

from __future__ import annotations

import threading
import time

import numpy as np

from agent.core.model.documents import DeviceStatus, Status
from agent.media.gst import Gst
from agent.media.pipeline import Pipeline, SharedClock, wrap
from agent.media.reporting import DeviceReporter
from agent.media.sound.echo.control import EchoControl
from agent.media.sound.echo.reference import Reference
from agent.media.sound.microphone import MicrophoneFeed
from agent.media.sound.mixer import RAW
from agent.media.sound.speaker import SpeakerFeed
from agent.ports import PERIOD_FRAMES
from agent.settings import Microphone
from tests.bench.row import Row
from tests.support import echoes
from tests.support.echoes import RATE_HZ, Judged, Sound, Talk

LONG = True
LIMIT_ERLE_DECIBELS, LIMIT_KEPT_PERCENT, LIMIT_CONVERGED_SECONDS = 35, 80, 10
CASES = [(60, 0), (150, 0), (150, 30)]
"""Milliseconds of echo, and parts per million by which the microphone's clock is the faster."""

PERIOD_SECONDS = 0.01
QUEUED_SAMPLES = RATE_HZ // 10
"""What the card keeps; less runs dry on a busy machine."""

AHEAD_NANOSECONDS = 60_000_000
PIECE_SECONDS = 0.02
WELL = DeviceStatus(Status.OK, "ok", "simulated")


class EchoingRoom:
    """The ports Speaker and Microphone of one room in which `near` is spoken."""

    def __init__(self, echo_seconds: float, clocks_ppm: int, near: Sound) -> None:
        self._echo = round(echo_seconds * RATE_HZ)
        self._step = 1 + clocks_ppm * 1e-6
        self._near = near
        self._air = np.zeros(len(near) + 20 * RATE_HZ)
        self._size = 1 << (len(echoes.impulse_response()) + 2 * PERIOD_FRAMES).bit_length()
        self._response = np.fft.rfft(echoes.impulse_response(), self._size)
        self._noise = echoes.noise(len(near))
        self._started: float | None = None
        self._played = QUEUED_SAMPLES
        self._heard = 0
        self.echo: list[Sound] = []
        self._lock = threading.Lock()

    def open(self) -> DeviceStatus:
        """The room's time begins with the first of its devices."""
        with self._lock:
            self._started = self._started or time.monotonic()
        return WELL

    def status(self) -> DeviceStatus:
        return WELL

    def close(self) -> None:
        """Nothing was opened."""

    def set_volume(self, percent: int) -> None:
        """As loud as it is."""

    @property
    def talking(self) -> bool:
        return (self._heard + 1) * PERIOD_FRAMES <= len(self._near)

    def _passed(self) -> float:
        """Samples that a clock counted since the beginning."""
        return (time.monotonic() - (self._started or 0.0)) * RATE_HZ

    def _wait(self, sample: float) -> None:
        time.sleep(max(0.0, sample - self._passed()) / RATE_HZ)

    def delay_seconds(self) -> float:
        return max(0.0, self._played - self._passed()) / RATE_HZ

    def write(self, pcm: bytes) -> None:
        self._played = max(self._played, int(self._passed()))
        played = np.frombuffer(pcm, np.int16)
        self._wait(self._played + len(played) - QUEUED_SAMPLES)
        heard = np.fft.irfft(np.fft.rfft(played, self._size) * self._response)
        at = self._played + self._echo
        with self._lock:
            room = self._air[at : at + len(heard)]
            room += heard[: len(room)]
        self._played += len(played)

    def read(self) -> bytes:
        if not self.talking:
            time.sleep(PERIOD_SECONDS)
            return b""
        self._wait((self._heard + 1) * PERIOD_FRAMES / self._step)
        at = self._heard * PERIOD_FRAMES
        part = slice(at, at + PERIOD_FRAMES)
        self._heard += 1
        with self._lock:
            echo = echoes.interpolated(self._air, np.arange(part.start, part.stop) / self._step)
        self.echo.append(echo)
        sound = echo + self._near[part] + self._noise[part]
        return sound.round().clip(-32768, 32767).astype(np.int16).tobytes()


def cancel(echo_milliseconds: int, clocks_ppm: int) -> Judged:
    """A conversation through the agent's own loudspeaker and microphone, in real time."""
    talk, clock, reference = echoes.talk(), SharedClock(), Reference()
    room, cleaned = EchoingRoom(echo_milliseconds / 1000, clocks_ppm, talk.near), []

    def keep(buffer: Gst.Buffer) -> None:
        cleaned.append(np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.int16))

    quiet = DeviceReporter("speaker", False, lambda report: None)
    speaker = SpeakerFeed(clock, lambda: room, 100, quiet, on_played=reference.add)
    control = EchoControl(Microphone(driver="alsa").echo_canceller, reference)
    microphone = MicrophoneFeed(clock, lambda: room, keep, quiet, echo=control)
    microphone.set_live(True)
    speaker.start()
    microphone.start()
    say(clock, speaker, talk)
    while room.talking:
        time.sleep(PERIOD_SECONDS)
    microphone.close()
    speaker.close()
    return echoes.judge(talk, np.concatenate(room.echo), np.concatenate(cleaned).astype(float))


def say(clock: SharedClock, speaker: SpeakerFeed, talk: Talk) -> None:
    """The far voice as a downlink would bring it."""
    text = f"appsrc name=in is-live=true format=time caps={RAW} ! proxysink name=out"
    source = Pipeline(clock, text, print)
    speaker.attach("far").play(source["out"], AHEAD_NANOSECONDS)
    source.play()
    start, length = clock.now(), int(PIECE_SECONDS * RATE_HZ)
    for number, at in enumerate(range(0, len(talk.far), length)):
        due = start + int(number * PIECE_SECONDS * 1e9)
        time.sleep(max(0.0, (due - clock.now()) / 1e9))
        piece = talk.far[at : at + length].round().clip(-32768, 32767).astype(np.int16)
        source["in"].push_buffer(wrap(piece.tobytes(), due))
    source.close()


def measure() -> list[Row]:
    rows = []
    for milliseconds, ppm in CASES:
        judged = cancel(milliseconds, ppm)
        what = f"echo {milliseconds} ms" + (f", {ppm} ppm" if ppm else "")
        kept = 100 * judged.kept
        rows.append(Row(f"{what}: ERLE", judged.erle, "dB", LIMIT_ERLE_DECIBELS, at_least=True))
        rows.append(Row("... near voice kept", kept, "%", LIMIT_KEPT_PERCENT, at_least=True))
        rows.append(Row("... learned", judged.converged_seconds, "s", LIMIT_CONVERGED_SECONDS))
    return rows
