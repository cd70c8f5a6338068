"""By how much the loudspeaker's clock is faster than the microphone's, from how the echo's delay moves.

Two cards' crystals differ by tens of parts per million: in half a minute that is a millisecond, and
what an adaptive filter has learned is worth nothing. A phase-locked loop of second order.
"""

from __future__ import annotations

PROPORTIONAL_PER_SECOND = 0.2
INTEGRAL_PER_SECOND_SQUARED = PROPORTIONAL_PER_SECOND**2 / 4
"""Critically damped: settled within half a minute of speech."""

MOST = 300e-6
"""Crystals are better than that; what asks for more is not drift."""


class Drift:
    """`pace` is how many samples the loudspeaker plays while the microphone takes one."""

    def __init__(self) -> None:
        self.pace = 1.0
        self._rate = 0.0
        self._wanted_seconds: float | None = None

    def restart(self) -> None:
        """The alignment has changed; the crystals have not."""
        self._wanted_seconds = None
        self.pace = 1 - self._rate

    def follow(self, lag_seconds: float, elapsed_seconds: float) -> None:
        """The echo is so far behind its reference now; the last time was `elapsed_seconds` ago."""
        if self._wanted_seconds is None:
            self._wanted_seconds = lag_seconds
        error = lag_seconds - self._wanted_seconds
        self._rate += INTEGRAL_PER_SECOND_SQUARED * error * elapsed_seconds
        self._rate = max(-MOST, min(self._rate, MOST))
        self.pace = 1 - self._rate - PROPORTIONAL_PER_SECOND * error
