"""The microphone's share of the media child: sound is read, measured, and muted before it goes on.

Muted, every period becomes silence here, before the encoder sees it; no sample leaves the room.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from agent.errors import AgentError, MediaError
from agent.media.pipeline import Pipeline, SharedClock, wrap
from agent.media.reporting import DeviceReporter
from agent.ports import Microphone

RETRY_SECONDS = 3.0
CLOSE_SECONDS = 3.0
PERIOD_NANOSECONDS = 10_000_000
RESYNCHRONISE_NANOSECONDS = 40_000_000
"""The sample count is the clock until it is this far from the real one (overrun, stall)."""

CHAIN = """
 appsrc name=in is-live=true format=time max-bytes=96000 leaky-type=downstream
  caps=audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved
 ! level name=level interval=500000000 ! appsink name=out sync=false max-buffers=20 drop=true"""


class MicrophoneFeed:
    """Open from `start()` to `close()`; `on_sound` gets buffers for the encoder."""

    def __init__(
        self,
        clock: SharedClock,
        make: Callable[[], Microphone],
        on_sound: Callable[[Any], None],
        reporter: DeviceReporter,
    ) -> None:
        self._clock = clock
        self._make = make
        self._on_sound = on_sound
        self._reporter = reporter
        self._closing = threading.Event()
        self._gate = threading.Lock()
        self._live = False
        self._next_pts = 0
        self.level_dbfs: float | None = None
        self._chain = Pipeline(clock, CHAIN, self._on_error)
        self._chain.on_sample("out", self._pass_on)
        self._chain.on_message("level", self._on_level)
        self._thread = threading.Thread(target=self._run, name="microphone", daemon=True)

    def start(self) -> None:
        self._chain.play()
        self._thread.start()

    def close(self) -> None:
        """The microphone is closed when this returns, unless its driver hangs for 3 s."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        self._chain.close()

    def set_live(self, live: bool) -> None:
        """When this returns with False, no further sample passes."""
        with self._gate:
            self._live = live

    def _pass_on(self, sample: Any) -> None:
        buffer = sample.get_buffer()
        with self._gate:
            if not self._live:
                buffer = wrap(bytes(buffer.get_size()), buffer.pts)
            self._on_sound(buffer)

    def _on_level(self, structure: Any) -> None:
        self.level_dbfs = round(max(structure.get_value("rms")[0], -120.0), 1)

    def _on_error(self, text: str) -> None:
        self._reporter.failed(MediaError("pipeline", text))

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self._read(self._make())
            except AgentError as error:
                self._reporter.failed(error)
                self._closing.wait(RETRY_SECONDS)

    def _read(self, microphone: Microphone) -> None:
        source = self._chain["in"]
        try:
            self._reporter.opened(microphone.open())
            while not self._closing.is_set():
                period = microphone.read()
                if period:
                    source.emit("push-buffer", wrap(period, self._stamp()))
                if self._reporter.due():
                    self._reporter.opened(microphone.status())
        finally:
            microphone.close()
        self._reporter.closed()

    def _stamp(self) -> int:
        """When the period just read began to sound."""
        began = self._clock.now() - PERIOD_NANOSECONDS
        if abs(began - self._next_pts) > RESYNCHRONISE_NANOSECONDS:
            self._next_pts = max(0, began)
        pts, self._next_pts = self._next_pts, self._next_pts + PERIOD_NANOSECONDS
        return pts
