"""Echo cancellation as the agent does it: a simulated room gives back what its loudspeaker plays.

For each delay of the echo: how much quieter it leaves the room (ERLE), with gain control at work, and
how much of a near voice is kept while both speak.
"""

from __future__ import annotations

import threading
import time
from collections import deque

import numpy as np

from agent.core.documents import DeviceStatus, Status
from agent.media.gst import Gst
from agent.media.microphone import Loudspeaker, MicrophoneFeed
from agent.media.mixer import ECHO_PROBE, RAW
from agent.media.pipeline import Pipeline, SharedClock, wrap
from agent.media.reporting import DeviceReporter
from agent.media.speaker import SpeakerFeed
from agent.ports import PERIOD_FRAMES
from tests.bench.row import Row

LONG = True
LIMIT_ERLE_DECIBELS, LIMIT_KEPT_PERCENT = 35, 80
RATE = 48_000
PERIOD_SECONDS = 0.01
QUEUED_PERIODS = 4
SECONDS = 24
NEAR_STARTS_SECONDS = 20
ECHO_TAPS = {0: 0.5, 300: 0.2, 900: 0.12, 1700: 0.06}
"""Samples after the first sound, and how loud."""
NEAR_HZ = 440.0
AHEAD_NANOSECONDS = 60_000_000
WELL = DeviceStatus(Status.OK, "ok", "simulated")


class EchoingRoom:
    """The ports Speaker and Microphone of one room, `echo_seconds` of air between them."""

    def __init__(self, echo_seconds: float) -> None:
        self._echo = round(echo_seconds * RATE)
        self._air = np.zeros((SECONDS + 20) * RATE)
        self._started = time.monotonic()
        self._played = QUEUED_PERIODS
        self._heard = 0
        self.near: deque[np.ndarray] = deque()
        self.raw: list[np.ndarray] = []
        self._lock = threading.Lock()

    def open(self) -> DeviceStatus:
        return WELL

    def status(self) -> DeviceStatus:
        return WELL

    def close(self) -> None:
        """Nothing was opened."""

    def set_volume(self, percent: int) -> None:
        """As loud as it is."""

    def _periods_passed(self) -> float:
        return (time.monotonic() - self._started) / PERIOD_SECONDS

    def delay_seconds(self) -> float:
        return max(0.0, self._played - self._periods_passed()) * PERIOD_SECONDS

    def write(self, period: bytes) -> None:
        self._played = max(self._played, int(self._periods_passed()) + 1)
        time.sleep(
            max(0.0, self._played - QUEUED_PERIODS - self._periods_passed()) * PERIOD_SECONDS
        )
        sound = np.frombuffer(period, np.int16).astype(float)
        with self._lock:
            for tap, gain in ECHO_TAPS.items():
                at = self._played * PERIOD_FRAMES + self._echo + tap
                room = self._air[at : at + PERIOD_FRAMES]
                room += gain * sound[: len(room)]
        self._played += 1

    def read(self) -> bytes:
        time.sleep(max(0.0, self._heard + 1 - self._periods_passed()) * PERIOD_SECONDS)
        at = self._heard * PERIOD_FRAMES
        self._heard += 1
        samples = np.arange(at, at + PERIOD_FRAMES)
        near = 3000 * np.sin(2 * np.pi * NEAR_HZ * samples / RATE) * voice(samples)
        with self._lock:
            echo = self._air[at : at + PERIOD_FRAMES].copy()
        self.raw.append(echo)
        return (echo + near).clip(-32768, 32767).astype(np.int16).tobytes()


def voice(samples: np.ndarray) -> np.ndarray:
    """On and off like syllables, from `NEAR_STARTS_SECONDS` on; a steady tone would be noise."""
    seconds = samples / RATE
    return ((seconds > NEAR_STARTS_SECONDS) & (np.sin(2 * np.pi * 2 * seconds) > 0)).astype(float)


def far_voice() -> np.ndarray:
    noise = np.convolve(
        np.random.default_rng(3).standard_normal(SECONDS * RATE), np.ones(8) / 8, "same"
    )
    syllables = np.sin(2 * np.pi * 1.3 * np.arange(len(noise)) / RATE) > 0
    return (noise / np.abs(noise).max() * 12_000 * syllables).astype(np.int16)


def rms(sound: np.ndarray) -> float:
    return float(np.sqrt(np.mean(sound.astype(float) ** 2)) + 1e-9)


def cancel(echo_seconds: float) -> tuple[float, float]:
    """ERLE in decibels, and the share of the near voice that is kept in double talk."""
    clock, room, cleaned = SharedClock(), EchoingRoom(echo_seconds), []

    def keep(buffer: Gst.Buffer) -> None:
        cleaned.append(np.frombuffer(buffer.extract_dup(0, buffer.get_size()), np.int16))

    quiet = DeviceReporter("speaker", False, lambda report: None)
    speaker = SpeakerFeed(clock, lambda: room, 100, quiet, for_canceller=True)
    microphone = MicrophoneFeed(
        clock,
        lambda: room,
        keep,
        quiet,
        processing=True,
        loudspeaker=Loudspeaker(ECHO_PROBE, speaker.delay_seconds, speaker.envelope),
    )
    microphone.set_live(True)
    far = Pipeline(
        clock, f"appsrc name=in is-live=true format=time caps={RAW} ! proxysink name=out", print
    )
    speaker.attach("far").play(far["out"], AHEAD_NANOSECONDS)
    speaker.start()
    microphone.start()
    far.play()
    feed(clock, far["in"])
    far.close()
    microphone.close()
    speaker.close()
    before, after = np.concatenate(room.raw), np.concatenate(cleaned)
    erle = slice(15 * RATE, NEAR_STARTS_SECONDS * RATE)
    talk = slice(int((NEAR_STARTS_SECONDS + 1) * RATE), int((NEAR_STARTS_SECONDS + 3) * RATE))
    samples = np.arange(len(after))[talk]
    carrier = np.exp(-2j * np.pi * NEAR_HZ * samples / RATE)
    kept = np.abs(np.dot(after[talk] * voice(samples), carrier)) / voice(samples).sum() * 2 / 3000
    return 20 * np.log10(rms(before[erle]) / rms(after[erle])), float(kept)


def feed(clock: SharedClock, source: Gst.Element) -> None:
    """The far voice as a downlink would bring it, a little early."""
    far = far_voice()
    start = clock.now()
    for number in range(SECONDS * 50):
        piece = far[number * 960 : (number + 1) * 960].tobytes()
        due = start + number * 20_000_000
        time.sleep(max(0.0, (due - clock.now()) / 1e9))
        source.push_buffer(wrap(piece, due))


def measure() -> list[Row]:
    rows = []
    for milliseconds in (60, 150):
        erle, kept = cancel(milliseconds / 1000)
        what = f"echo after {milliseconds} ms"
        rows.append(Row(f"{what}: ERLE", erle, "dB", LIMIT_ERLE_DECIBELS, at_least=True))
        rows.append(Row("... near voice kept", 100 * kept, "%", LIMIT_KEPT_PERCENT, at_least=True))
    return rows
