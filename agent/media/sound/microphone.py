"""The microphone's share of the media process: sound is read, freed of echo, and muted before it goes on.

Muted, every period becomes silence here, before the encoder sees it; no sample leaves the room. Nor does, once it is live, what was
said before: the card and the echo canceller keep sound for a moment, a busy machine for longer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from msgspec import structs

from agent.core.model.device_detail import SoundDetail
from agent.core.model.documents import DeviceStatus, Status
from agent.media.pipeline import SharedClock, wrap
from agent.media.reporting import DeviceReporter
from agent.media.sound.echo.control import EchoControl
from agent.media.sound.sample_clock import PERIOD_NANOSECONDS, SampleClock
from agent.ports import Microphone

CLOSE_SECONDS = 3.0

KEPT_BY_CANCELLER_NANOSECONDS = 20_000_000
"""What it gives at a time may be that much older (`EchoControl.process`)."""

KEPT_BY_CARD_NANOSECONDS = 200_000_000
"""No card's buffer here keeps more: what is asked for so long after it went live was said since, whatever its
stamp (one that lost samples is behind for a second or two)."""


class MicrophoneFeed:
    """Open from `start()` to `close()`; `on_sound` gets buffers for the encoder."""

    def __init__(
        self,
        clock: SharedClock,
        make: Callable[[], Microphone],
        on_sound: Callable[[Any], None],
        reporter: DeviceReporter,
        *,
        echo: EchoControl | None = None,
    ) -> None:
        self._clock = clock
        self._make = make
        self._on_sound = on_sound
        self._reporter = reporter
        self._closing = threading.Event()
        self._gate = threading.Lock()
        self._live_from: int | None = None
        """The running time from which on sound passes; None while muted."""
        self._samples = SampleClock()
        self.detail = SoundDetail()
        """The driver's newest, muted or not; nothing while the microphone is closed."""
        self.echo = echo
        self._thread = threading.Thread(target=self._run, name="microphone", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """The microphone is closed when this returns, unless its driver hangs for 3 s."""
        self._closing.set()
        self._thread.join(CLOSE_SECONDS)
        if self.echo:
            self.echo.close()

    def set_live(self, live: bool) -> None:
        """When this returns with False, no further sample passes; after True, those that were taken since."""
        with self._gate:
            if not live:
                self._live_from = None
            elif self._live_from is None:
                kept = KEPT_BY_CANCELLER_NANOSECONDS if self.echo else 0
                self._live_from = self._clock.now() + kept

    def _run(self) -> None:
        self._reporter.keep_trying(lambda: self._read(self._make()), self._closing)

    def _read(self, microphone: Microphone) -> None:
        try:
            self._reporter.opened(self._status(microphone.open()))
            self._samples = SampleClock()
            while not self._closing.is_set():
                asked = self._clock.now()
                period = microphone.read()
                if period:
                    self._pass_on(period, asked)
                if self._reporter.due():
                    self._reporter.opened(self._status(microphone.status()))
        finally:
            self.detail = SoundDetail()
            microphone.close()
        self._reporter.closed()

    def _status(self, own: DeviceStatus) -> DeviceStatus:
        """The driver's, or that the echo stays in, if there is nothing worse."""
        self.detail = SoundDetail.of(own.detail)
        trouble = self.echo.trouble if self.echo else None
        if trouble is None or own.status is not Status.OK:
            return own
        return structs.replace(
            own, status=Status.DEGRADED, code=trouble.code, text=f"Microphone: {trouble.text}"
        )

    def _pass_on(self, period: bytes, asked: int) -> None:
        """The period just read, asked for at that time, stamped with when it began to sound."""
        pts = max(0, self._samples.stamp(self._clock.now() - PERIOD_NANOSECONDS))
        sound = self.echo.process(pts, period) if self.echo else period
        with self._gate:
            self._on_sound(wrap(sound if self._passes(pts, asked) else bytes(len(sound)), pts))

    def _passes(self, pts: int, asked: int) -> bool:
        """Whether what seems to have been said at `pts`, and was asked for then, was said since the room went live."""
        since = self._live_from
        if since is None:
            return False
        return pts >= since or asked >= since + KEPT_BY_CARD_NANOSECONDS
