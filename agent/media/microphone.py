"""The microphone's share of the media child: sound is read, measured, and muted before it goes on.

Muted, every period becomes silence here, before the encoder sees it; no sample leaves the room.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from agent.errors import MediaError
from agent.media.echo import SLOT_NANOSECONDS, Envelope, estimate_delay
from agent.media.gst import available
from agent.media.pipeline import Pipeline, SharedClock, level_dbfs, wrap
from agent.media.reporting import DeviceReporter
from agent.ports import Microphone

CLOSE_SECONDS = 3.0
PERIOD_NANOSECONDS = 10_000_000
RESYNCHRONISE_NANOSECONDS = 40_000_000
"""The sample count is the clock until it is this far from the real one (overrun, stall)."""

CHAIN = """
 appsrc name=in is-live=true format=time max-bytes=96000 leaky-type=downstream
  caps=audio/x-raw,format=S16LE,rate=48000,channels=1,layout=interleaved
 {processing}
 ! level name=level interval=500000000 ! appsink name=out sync=false max-buffers=20 drop=true"""

PROCESSING = """
 ! webrtcdsp probe={probe} echo-cancel={echo} echo-suppression-level=high
  noise-suppression=true gain-control=true high-pass-filter=true"""

ALIGN_SECONDS = 3.0
"""Between looks at the echo's delay; two that agree are believed."""

CANCELLER_SLOTS = 1
"""The echo is left to come so much later than the sound, since none may come before."""


class Loudspeaker(NamedTuple):
    """What the echo canceller must know of the other side of the room."""

    probe: str
    """The name of the webrtcechoprobe through which all sound goes."""

    delay_seconds: Callable[[], float]
    """From there to the ear, as far as the driver knows."""

    envelope: Envelope
    """The loudness of what went through it."""


class MicrophoneFeed:
    """Open from `start()` to `close()`; `on_sound` gets buffers for the encoder."""

    def __init__(
        self,
        clock: SharedClock,
        make: Callable[[], Microphone],
        on_sound: Callable[[Any], None],
        reporter: DeviceReporter,
        *,
        processing: bool = False,
        loudspeaker: Loudspeaker | None = None,
    ) -> None:
        self._clock = clock
        self._loudspeaker = loudspeaker if processing else None
        self._make = make
        self._on_sound = on_sound
        self._reporter = reporter
        self._closing = threading.Event()
        self._gate = threading.Lock()
        self._live = False
        self._next_pts = 0
        self._shift = int(loudspeaker.delay_seconds() * 1e9) if loudspeaker else 0
        self._near = Envelope()
        self._found: int | None = None
        self._next_look = 0.0
        self.level_dbfs: float | None = None
        self.processing = processing and available("webrtcdsp") is not None
        self._chain = Pipeline(clock, self._description(), self._on_error)
        self._chain.on_sample("out", self._pass_on)
        self._chain.on_message("level", self._on_level)
        self._thread = threading.Thread(target=self._run, name="microphone", daemon=True)

    def _description(self) -> str:
        if not self.processing:
            return CHAIN.format(processing="")
        echo = self._loudspeaker is not None
        probe = self._loudspeaker.probe if self._loudspeaker else "none"
        return CHAIN.format(processing=PROCESSING.format(probe=probe, echo=str(echo).lower()))

    def start(self) -> None:
        self._chain.play()
        self._thread.start()

    def close(self) -> None:
        """The microphone is closed when this returns, unless its driver hangs for 3 s."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        self._chain.close()

    @property
    def echo_delay_milliseconds(self) -> int | None:
        """How late the loudspeaker comes back, if it is heard at all."""
        return None if self._found is None else self._found * 10

    def set_live(self, live: bool) -> None:
        """When this returns with False, no further sample passes."""
        with self._gate:
            self._live = live

    def _pass_on(self, sample: Any) -> None:
        buffer = sample.get_buffer()
        sounded = buffer.pts + self._shift
        with self._gate:
            if self._live:
                buffer = buffer.copy()
                buffer.pts = sounded
            else:
                buffer = wrap(bytes(buffer.get_size()), sounded)
            self._on_sound(buffer)

    def _on_level(self, structure: Any) -> None:
        self.level_dbfs = level_dbfs(structure)

    def _on_error(self, text: str) -> None:
        self._reporter.failed(MediaError("pipeline", text))

    def _run(self) -> None:
        self._reporter.keep_trying(lambda: self._read(self._make()), self._closing)

    def _read(self, microphone: Microphone) -> None:
        source = self._chain["in"]
        try:
            self._reporter.opened(microphone.open())
            while not self._closing.is_set():
                period = microphone.read()
                if period:
                    source.push_buffer(wrap(period, self._stamp(period)))
                if self._reporter.due():
                    self._reporter.opened(microphone.status())
        finally:
            microphone.close()
        self._reporter.closed()

    def _stamp(self, period: bytes) -> int:
        """When the period just read began to sound, less the time its echo took to get here."""
        began = self._clock.now() - PERIOD_NANOSECONDS
        if self._loudspeaker:
            self._near.add(began, period)
            self._align(self._loudspeaker)
        stamp = max(0, began - self._shift)
        if abs(stamp - self._next_pts) > RESYNCHRONISE_NANOSECONDS:
            self._next_pts = stamp
        pts, self._next_pts = self._next_pts, self._next_pts + PERIOD_NANOSECONDS
        return pts

    def _align(self, loudspeaker: Loudspeaker) -> None:
        """Put echo and sound side by side: the canceller of Debian 12 looks no further than 10 ms."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + ALIGN_SECONDS
        before, self._found = self._found, estimate_delay(loudspeaker.envelope, self._near)
        if self._found is None or before is None or abs(self._found - before) > 1:
            return
        shift = max(0, self._found - CANCELLER_SLOTS) * SLOT_NANOSECONDS
        if abs(shift - self._shift) > SLOT_NANOSECONDS:
            self._next_pts = max(0, self._next_pts + self._shift - shift)
            self._shift = shift
