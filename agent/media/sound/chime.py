"""The sounds of a call: a chime that wakes a room, and a soft tone over a meeting's sound.

Both are made here, without a file, and repeat until they are stopped.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Callable

from agent.core.model.media import Announcement
from agent.media.reporting import DeviceReporter
from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ, Speaker

CHIME = ((880.0, 0.0), (659.3, 0.5))
"""Hz, and when it is struck in seconds: the two bars of a door chime, A5 and E5."""

TONE = ((659.3, 0.0),)
CHIME_SECONDS, TONE_SECONDS = 2.0, 3.0
"""From one to the next."""

CHIME_PEAK, TONE_PEAK = 0.7, 0.06
"""Of full scale: -3 dBFS, and -24 dBFS, which is heard beside speech and does not drown it."""

DECAY_SECONDS = 0.35
ATTACK_SECONDS = 0.005
CLOSE_SECONDS = 2.0
FULL_SCALE = 32767


def struck(bars: tuple[tuple[float, float], ...], seconds: float, peak: float) -> bytes:
    """One round as S16LE at 48 kHz: each bar rings out, and none begins or ends with a click."""
    samples = array("h", bytes(2 * round(seconds * SAMPLE_RATE_HZ)))
    for pitch, begins in bars:
        first = round(begins * SAMPLE_RATE_HZ)
        step = 2 * math.pi * pitch / SAMPLE_RATE_HZ
        for index in range(min(len(samples) - first, round(4 * DECAY_SECONDS * SAMPLE_RATE_HZ))):
            at = index / SAMPLE_RATE_HZ
            rise, fall = min(1.0, at / ATTACK_SECONDS), math.exp(-at / DECAY_SECONDS)
            wave = peak / len(bars) ** 0.5 * rise * fall * math.sin(step * index)
            samples[first + index] += round(FULL_SCALE * wave)
    return samples.tobytes()


class Repeated:
    """A round of sound again and again, in pieces of any length."""

    def __init__(self, sound: bytes) -> None:
        self._sound = sound
        self._at = 0

    def next(self, length: int) -> bytes:
        """The next so many bytes."""
        piece = b""
        while len(piece) < length:
            part = self._sound[self._at : self._at + length - len(piece)]
            self._at = (self._at + len(part)) % len(self._sound)
            piece += part
        return piece


class SoftTone:
    """Laid over what the loudspeaker plays while a call is offered in a meeting; from any thread."""

    def __init__(self) -> None:
        self._tone: Repeated | None = None

    def ring(self, call: Announcement | None) -> None:
        """Begin, or (None) end."""
        if call is None:
            self._tone = None
        elif self._tone is None:
            self._tone = Repeated(struck(TONE, TONE_SECONDS, TONE_PEAK))

    def over(self, sound: bytes) -> bytes:
        """The sound with the tone in it."""
        tone = self._tone
        if tone is None:
            return sound
        import numpy as np

        both = np.frombuffer(sound, "<i2").astype(np.int32)
        both += np.frombuffer(tone.next(len(sound)), "<i2")
        return both.clip(-FULL_SCALE - 1, FULL_SCALE).astype("<i2").tobytes()


class Chime:
    """Plays on the loudspeaker alone, between meetings: from `ring` to `ring(None)`, in a thread of its own."""

    def __init__(self, make: Callable[[], Speaker] | None, reporter: DeviceReporter) -> None:
        self._make = make
        self._reporter = reporter
        self._volume = 0
        self._thread: threading.Thread | None = None
        self._silent = threading.Event()

    def ring(self, call: Announcement | None) -> None:
        """Begin with this call's volume, or (None) end."""
        if call is None:
            self.close()
        elif self._make and self._thread is None:
            self._volume = call.volume
            self._silent.clear()
            self._thread = threading.Thread(target=self._run, args=(self._make,), daemon=True)
            self._thread.start()

    def close(self) -> None:
        """The loudspeaker is closed when this returns, unless its driver hangs for 2 s."""
        thread, self._thread = self._thread, None
        self._silent.set()
        if thread:
            thread.join(CLOSE_SECONDS)

    def _run(self, make: Callable[[], Speaker]) -> None:
        self._reporter.keep_trying(lambda: self._play(make()), self._silent)

    def _play(self, speaker: Speaker) -> None:
        try:
            self._reporter.opened(speaker.open())
            speaker.set_volume(self._volume)
            sound = Repeated(struck(CHIME, CHIME_SECONDS, CHIME_PEAK))
            while not self._silent.is_set():
                speaker.write(sound.next(2 * PERIOD_FRAMES))
                if self._reporter.due():
                    self._reporter.opened(speaker.status())
        finally:
            speaker.close()
        self._reporter.closed()
