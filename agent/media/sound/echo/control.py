"""Echo control of one room: puts what was played beside what is heard, and has it cancelled."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from agent.errors import MediaError
from agent.media.sound.echo import canceller
from agent.media.sound.echo.canceller import EchoCanceller, NoCanceller
from agent.media.sound.echo.delay import EchoDelay
from agent.media.sound.echo.drift import Drift
from agent.media.sound.echo.reference import Reference

MARGIN_SECONDS = 0.02
"""The echo is left to come so much later than its reference: a canceller cannot look ahead, and each
side's time is only good to 20 ms."""

TOLERANCE_SECONDS = 0.015
"""Alignment that is off by less stays as it is: each change has to be learned anew."""


class EchoControl:
    """Used by the microphone's thread. Without the canceller that is wanted the sound stays as it is,
    and `trouble` says what to install.
    """

    def __init__(self, wanted: str, reference: Reference) -> None:
        self.trouble: MediaError | None = None
        self._make: Callable[..., EchoCanceller] = partial(canceller.make, wanted)
        self.suppress_noise = True
        """Set from any thread: it costs a share of the processor."""
        self._suppresses = True
        try:
            self._canceller = self._make()
        except MediaError as missing:
            self.trouble = missing
            self._make = NoCanceller
            self._canceller = self._make()
        self.name = None if self.trouble else wanted
        self._reference = reference
        self._delay = EchoDelay()
        self._drift = Drift()
        self._shift = 0.0
        self.echo_delay_seconds: float | None = None
        """How late the loudspeaker is heard, beyond what its driver knows; None until it has been."""

    def process(self, at_nanoseconds: int, period: bytes) -> bytes:
        """The period that began then, without the loudspeaker; it may lag by 20 ms."""
        if self._suppresses != self.suppress_noise:
            self._suppresses = self.suppress_noise
            self._make_anew()
        reference = self._reference.take(at_nanoseconds - int(self._shift * 1e9))
        lag = self._delay.add(reference, period)
        if lag is not None:
            self._align(at_nanoseconds, lag)
        return self._canceller.cancel(reference, period)

    def close(self) -> None:
        self._canceller.close()

    def _align(self, at_nanoseconds: int, lag: float) -> None:
        self.echo_delay_seconds = self._shift + lag
        if abs(lag - MARGIN_SECONDS) > TOLERANCE_SECONDS:
            self._shift += lag - MARGIN_SECONDS
            self._delay = EchoDelay()
            self._drift.restart()
            self._make_anew()  # what it has learned is wrong now, and unlearning takes longer
        else:
            self._drift.follow(at_nanoseconds / 1e9, lag)
        self._reference.pace = self._drift.pace

    def _make_anew(self) -> None:
        self._canceller.close()
        self._canceller = self._make(noise=self._suppresses)
