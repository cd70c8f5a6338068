"""The loudspeaker's share of the media child: what the sources say is mixed and played.

A loudspeaker that cannot be opened is tried again while the meeting lasts; it is never fatal.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from agent.errors import MediaError
from agent.media.echo import SLOT_NANOSECONDS, Envelope
from agent.media.gst import available
from agent.media.mixer import Input, Mixer
from agent.media.pipeline import SharedClock, unwrap
from agent.media.reporting import DeviceReporter
from agent.ports import PERIOD_BYTES, Speaker

CLOSE_SECONDS = 3.0
WAIT_SECONDS = 0.2


class SpeakerFeed:
    """Plays from `start()` to `close()`; sources come with `attach` and go with `detach`."""

    def __init__(
        self,
        clock: SharedClock,
        make: Callable[[], Speaker],
        volume: int,
        reporter: DeviceReporter,
        *,
        for_canceller: bool = False,
    ) -> None:
        self._make = make
        self._volume = volume
        self._reporter = reporter
        self._closing = threading.Event()
        self._inputs: dict[str, Input] = {}
        self._speaker: Speaker | None = None
        self._rest = b""
        self.envelope = Envelope()
        self._for_canceller = for_canceller and available("webrtcechoprobe") is not None
        self._mixer = Mixer(clock, self._on_error, for_canceller=self._for_canceller)
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

    def delay_seconds(self) -> float:
        """From the mixer to the ear, as far as the driver knows."""
        speaker = self._speaker
        return speaker.delay_seconds() if speaker else 0.0

    def set_volume(self, percent: int) -> None:
        self._volume = percent
        if self._speaker:
            self._speaker.set_volume(percent)

    def attach(self, key: str) -> Input:
        """A place in the mix for the source of this key; in the loop's thread."""
        self._inputs[key] = self._mixer.attach()
        return self._inputs[key]

    def detach(self, key: str) -> None:
        """In the loop's thread."""
        if given := self._inputs.pop(key, None):
            given.detach()

    def _on_error(self, text: str) -> None:
        self._reporter.failed(MediaError("pipeline", text))

    def _run(self) -> None:
        self._reporter.keep_trying(lambda: self._play(self._make()), self._closing)

    def _play(self, speaker: Speaker) -> None:
        try:
            self._reporter.opened(speaker.open())
            speaker.set_volume(self._volume)
            self._speaker = speaker
            while not self._closing.is_set():
                if sample := self._mixer.next(WAIT_SECONDS):
                    speaker.write(self._whole_periods(sample))
                if self._reporter.due():
                    self._reporter.opened(speaker.status())
        finally:
            self._speaker = None
            speaker.close()
        self._reporter.closed()

    def _whole_periods(self, sample: Any) -> bytes:
        """The sample's sound as the port wants it; what is left over comes with the next."""
        data = self._rest + unwrap(sample)
        whole = len(data) // PERIOD_BYTES * PERIOD_BYTES
        self._rest = data[whole:]
        if self._for_canceller:
            due = sample.get_buffer().pts
            for number, at in enumerate(range(0, whole, PERIOD_BYTES)):
                self.envelope.add(due + number * SLOT_NANOSECONDS, data[at : at + PERIOD_BYTES])
        return data[:whole]
