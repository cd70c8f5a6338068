"""The sounds of a call: a chime that wakes a room, and a soft tone over a meeting's sound.

Both are made here, without a file, and repeat until they are stopped.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Callable

from agent.core.model.announcement import Called
from agent.media.reporting import DeviceReporter
from agent.ports import PERIOD_FRAMES, SAMPLE_RATE_HZ, Speaker

Bars = tuple[tuple[float, float], ...]

CHIME: Bars = ((880.0, 0.0), (659.3, 0.5))
"""Hz, and when it is struck in seconds: the two bars of a door chime, A5 and E5."""

TONE: Bars = ((659.3, 0.0),)
CHIME_SECONDS, TONE_SECONDS = 2.0, 3.0
"""From one to the next."""

CHIME_PEAK, TONE_PEAK = 0.7, 0.06
"""Of full scale: -3 dBFS, and -24 dBFS, which is heard beside speech and does not drown it."""

DECAY_SECONDS = 0.35
ATTACK_SECONDS = 0.005
CLOSE_SECONDS = 2.0
FULL_SCALE = 32767

RINGING = round(4 * DECAY_SECONDS * SAMPLE_RATE_HZ)
"""Samples for which a bar is heard."""


class Repeated:
    """A round of sound again and again, in pieces of any length: S16LE at 48 kHz. Each bar rings out, and none begins or
    ends with a click. The first round is made as it is asked for: as a whole it would keep a slow board from ringing.
    """

    def __init__(self, bars: Bars, seconds: float, peak: float) -> None:
        self._bars = bars
        self._peak = peak / len(bars) ** 0.5
        self._round_bytes = 2 * round(seconds * SAMPLE_RATE_HZ)
        self._made = b""
        self._at = 0

    def next(self, length: int) -> bytes:
        """The next so many bytes."""
        piece = b""
        while len(piece) < length:
            part = self._part(length - len(piece))
            self._at = (self._at + len(part)) % self._round_bytes
            piece += part
        return piece

    def _part(self, length: int) -> bytes:
        """From where it is, to the round's end at the most."""
        end = min(self._at + length, self._round_bytes)
        if end > len(self._made):
            self._made += self._struck(len(self._made) // 2, (end + 1) // 2)
        return self._made[self._at : end]

    def _struck(self, first: int, end: int) -> bytes:
        """The samples from `first` to before `end` of a round."""
        samples = array("h", bytes(2 * (end - first)))
        for pitch, begins in self._bars:
            began = round(begins * SAMPLE_RATE_HZ)
            for index in range(max(first, began), min(end, began + RINGING)):
                at = (index - began) / SAMPLE_RATE_HZ
                rise, fall = min(1.0, at / ATTACK_SECONDS), math.exp(-at / DECAY_SECONDS)
                wave = self._peak * rise * fall * math.sin(2 * math.pi * pitch * at)
                samples[index - first] += round(FULL_SCALE * wave)
        return samples.tobytes()


class SoftTone:
    """Laid over what the loudspeaker plays while a call is offered in a meeting; from any thread."""

    def __init__(self) -> None:
        self._tone: Repeated | None = None

    def ring(self, call: Called | None) -> None:
        """Begin, or (None) end."""
        if call is None:
            self._tone = None
        elif self._tone is None:
            self._tone = Repeated(TONE, TONE_SECONDS, TONE_PEAK)

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

    def ring(self, call: Called | None) -> None:
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
            sound = Repeated(CHIME, CHIME_SECONDS, CHIME_PEAK)
            while not self._silent.is_set():
                speaker.write(sound.next(2 * PERIOD_FRAMES))
                if self._reporter.due():
                    self._reporter.opened(speaker.status())
        finally:
            speaker.close()
        self._reporter.closed()
