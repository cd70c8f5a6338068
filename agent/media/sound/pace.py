"""Keeps the way from the mixer to the ear short and steady, though the sound card has its own clock.

Pure: lags and underruns go in, samples to leave out or to repeat come out. A lag is the time from
when sound was due at the mixer's end to when it is heard, in nanoseconds.
"""

from __future__ import annotations

from array import array

SHORTEST_NANOSECONDS = 40_000_000
"""A mixed chunk of 20 ms, and 20 ms that this process may be late."""

LONGEST_NANOSECONDS = 100_000_000
STEP_NANOSECONDS = 10_000_000
CALM_SECONDS = 60
"""Without an underrun for so long the lag is shortened by a step again."""

CHUNK_SAMPLES = 960
CHUNK_NANOSECONDS = 20_000_000
"""So much above what is wanted is not worked off: something was held up, and a chunk is left out."""

CORRECTION_NANOSECONDS = 4_000_000
"""For each so much that it is off, a sample a chunk is left out or repeated..."""

MOST_SAMPLES = 3
"""... up to this: 0.3 % of pitch, which nobody hears, against the 0.01 % of a bad crystal."""

CORRECTED_SAMPLES = 8
"""Left out or repeated at a time: seldom, since Python takes its time for it..."""

WINDOW_SAMPLES = 192
"""... in this part of a chunk, 4 ms of it."""

SMOOTHING = 32
"""Chunks: no driver tells its delay to the millisecond."""


class Pace:
    """The lag of one open loudspeaker; `lag` is what it is lately."""

    def __init__(self) -> None:
        self.wanted = SHORTEST_NANOSECONDS
        self.lag = SHORTEST_NANOSECONDS
        self._calm_seconds = 0
        self._underruns = 0
        self._owed = 0

    def heard(self, lag: int) -> int:
        """A chunk was written. How many samples too many there are: for the next one to leave out,
        or to repeat if negative.
        """
        if abs(lag - self.lag) > CHUNK_NANOSECONDS:
            self.lag = lag
        self.lag += (lag - self.lag) // SMOOTHING
        if self.lag > self.wanted + CHUNK_NANOSECONDS:
            self.lag -= CHUNK_NANOSECONDS
            return CHUNK_SAMPLES
        excess = round((self.lag - self.wanted) / CORRECTION_NANOSECONDS)
        self._owed += max(-MOST_SAMPLES, min(excess, MOST_SAMPLES))
        if abs(self._owed) < CORRECTED_SAMPLES:
            return 0
        correction = CORRECTED_SAMPLES if self._owed > 0 else -CORRECTED_SAMPLES
        self._owed -= correction
        return correction

    def second(self, underruns: int) -> None:
        """Once a second: the loudspeaker's count. Each time it ran dry it gets more ahead."""
        before, self._underruns = self._underruns, underruns
        self._calm_seconds = 0 if underruns > before else self._calm_seconds + 1
        if underruns > before:
            self.wanted = min(self.wanted + STEP_NANOSECONDS, LONGEST_NANOSECONDS)
        elif self._calm_seconds >= CALM_SECONDS:
            self._calm_seconds = 0
            self.wanted = max(self.wanted - STEP_NANOSECONDS, SHORTEST_NANOSECONDS)


def stretched(sound: bytes, excess: int) -> bytes:
    """S16LE sound in so many samples less (or more, if negative), without a click."""
    if not excess:
        return sound
    samples = array("h", sound)
    window = samples[:WINDOW_SAMPLES]
    count = len(window) - excess
    if count < 2:
        return b""
    step = (len(window) - 1) / (count - 1)
    pairs = zip(window, [*window[1:], window[-1]], strict=True)
    ramps = [(sample, after - sample) for sample, after in pairs]
    bent = array("h", (_between(ramps, index * step) for index in range(count)))
    return (bent + samples[WINDOW_SAMPLES:]).tobytes()


def _between(ramps: list[tuple[int, int]], at: float) -> int:
    sample, rise = ramps[int(at)]
    return round(sample + rise * (at % 1))
