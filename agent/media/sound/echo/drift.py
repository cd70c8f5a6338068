"""By how much the loudspeaker's clock is faster than the microphone's, from how the echo's delay moves.

Two cards' crystals differ by tens of parts per million: in half a minute that is a millisecond, and
what an adaptive filter has learned is worth nothing. A frequency-locked loop: it does not bring the
delay back to what it was, since that would take a wrong pace for a while.
"""

from __future__ import annotations

from collections import deque

FIRST_LOOKS, FIRST_GAIN = 8, 0.2
GAIN = 0.06
"""The share of what is seen that is believed: the pace is right after five seconds of speech, and
later what a near voice adds to the delay does not shake it."""

MOST = 300e-6
"""Crystals are better than that; what moves faster is a gap."""


class Drift:
    """`pace` is how many samples the loudspeaker plays while the microphone takes one."""

    def __init__(self) -> None:
        self.pace = 1.0
        self._looks = 0
        self._seen: deque[tuple[float, float]] = deque(maxlen=3)

    def restart(self) -> None:
        """The alignment has changed; the crystals have not."""
        self._seen.clear()

    def follow(self, at_seconds: float, lag_seconds: float) -> None:
        """At this time the echo is so far behind its reference, which has been read at `pace`."""
        self._seen.append((at_seconds, lag_seconds))
        before, lag_before = self._seen[0]
        if at_seconds <= before:
            return
        slope = (lag_seconds - lag_before) / (at_seconds - before)
        if abs(slope) > MOST:
            self.restart()
            return
        self.pace -= slope * (FIRST_GAIN if self._looks < FIRST_LOOKS else GAIN)
        self.pace = max(1 - MOST, min(self.pace, 1 + MOST))
        self._looks += 1
