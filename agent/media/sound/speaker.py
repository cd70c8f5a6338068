"""The loudspeaker's share of the media process: what the sources say is mixed and played.

A loudspeaker that cannot be opened is tried again while the meeting lasts; it is never fatal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from agent.core.model.device_detail import SoundDetail
from agent.core.model.documents import DeviceStatus
from agent.errors import MediaError
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter
from agent.media.sound.chime import SoftTone
from agent.media.sound.mixer import CHUNK_NANOSECONDS, Chunk, Input, Mixer
from agent.media.sound.pace import Pace, stretched
from agent.ports import SAMPLE_RATE_HZ, Speaker

CLOSE_SECONDS = 3.0
WAIT_SECONDS = 0.2
NANOSECONDS = 1_000_000_000
BYTES_PER_SECOND = SAMPLE_RATE_HZ * 2

OnPlayed = Callable[[int, bytes], None]
"""Gets the running time in nanoseconds at which samples begin to be heard, and the samples."""


class SpeakerFeed:
    """Plays from `start()` to `close()`; sources come with `attach` and go with `detach`."""

    def __init__(
        self,
        clock: SharedClock,
        make: Callable[[], Speaker],
        volume: int,
        reporter: DeviceReporter,
        *,
        on_played: OnPlayed | None = None,
        own_delay_seconds: float = 0.0,
    ) -> None:
        """`own_delay_seconds`: what the loudspeaker takes that no driver knows of."""
        self._clock = clock
        self._make = make
        self.volume = volume
        """Per cent, as ordered."""
        self.detail = SoundDetail()
        """The driver's newest; nothing while the loudspeaker is closed."""
        self._reporter = reporter
        self._on_played = on_played
        self._own_delay = int(own_delay_seconds * NANOSECONDS)
        self._pace = Pace()
        self.tone = SoftTone()
        """Of a call that is offered in the meeting."""
        self._closing = threading.Event()
        self._inputs: dict[str, Input] = {}
        self._speaker: Speaker | None = None
        self._mixer = Mixer(clock, self._on_error)
        self._thread = threading.Thread(target=self._run, name="speaker", daemon=True)

    def start(self) -> None:
        self._mixer.play()
        self._thread.start()

    def close(self) -> None:
        """The loudspeaker is closed when this returns, unless its driver hangs for 3 s."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        self._mixer.close()

    @property
    def level_dbfs(self) -> float | None:
        """How loud it is, without the volume."""
        return self._mixer.level_dbfs

    @property
    def delay_nanoseconds(self) -> int:
        """From the moment when sound leaves the mixer to when it is heard."""
        return self._pace.lag + self._own_delay

    def set_volume(self, percent: int) -> None:
        self.volume = percent
        if self._speaker:
            self._speaker.set_volume(percent)

    def attach(self, key: str) -> Input:
        """A place in the mix for the source of this key; in the loop's thread."""
        self._inputs[key] = self._mixer.attach()
        return self._inputs[key]

    def detach(self, key: str) -> None:
        """In the loop's thread."""
        if given := self._inputs.pop(key, None):
            self._mixer.detach(given)

    def _on_error(self, text: str) -> None:
        self._reporter.failed(MediaError("pipeline", text))

    def _run(self) -> None:
        self._reporter.keep_trying(lambda: self._play(self._make()), self._closing)

    def _play(self, speaker: Speaker) -> None:
        try:
            self._opened(speaker.open())
            speaker.set_volume(self.volume)
            self._speaker = speaker
            self._pace, excess = Pace(), 0
            self._mixer.skip()
            while not self._closing.is_set():
                if chunk := self._mixer.next(WAIT_SECONDS):
                    excess = self._say(speaker, chunk, excess)
                if self._reporter.due():
                    self._update(speaker.status())
        finally:
            self._speaker = None
            self.detail = SoundDetail()
            speaker.close()
        self._reporter.closed()

    def _say(self, speaker: Speaker, chunk: Chunk, excess: int) -> int:
        """Write the chunk less `excess` samples. How many are too many now."""
        sound = self.tone.over(stretched(chunk.sound, excess))
        speaker.write(sound)
        heard = self._clock.now() + int(speaker.delay_seconds() * NANOSECONDS)
        if self._on_played:
            self._on_played(heard - len(sound) * NANOSECONDS // BYTES_PER_SECOND, sound)
        return self._pace.heard(heard - chunk.due - CHUNK_NANOSECONDS)

    def _update(self, status: DeviceStatus) -> None:
        self._opened(status)
        self._pace.second(self.detail.xruns or 0)

    def _opened(self, status: DeviceStatus) -> None:
        self.detail = SoundDetail.of(status.detail)
        self._reporter.opened(status)
