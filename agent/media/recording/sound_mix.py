"""Sums the sounds of a meeting on one time line, for the recording.

Sources come in at their own time and pace; what is taken out has no gaps: where nobody spoke is
silence. Mono S16LE at 48 kHz throughout; not thread-safe.
"""

from __future__ import annotations

from typing import Any

from agent.ports import SAMPLE_RATE_HZ

NANOSECONDS = 1_000_000_000
CAPACITY_SAMPLES = 2 * SAMPLE_RATE_HZ
JITTER_SAMPLES = SAMPLE_RATE_HZ * 40 // 1000
"""A source's periods follow each other without a seam until its clock is this far off."""


class SoundMix:
    """The time line begins at `origin_nanoseconds` of the shared clock."""

    def __init__(self, origin_nanoseconds: int) -> None:
        import numpy

        self._np: Any = numpy
        self._origin = origin_nanoseconds
        self._sum = numpy.zeros(CAPACITY_SAMPLES, numpy.int32)
        self._next: dict[str, int] = {}
        self.taken_samples = 0

    def add(self, source: str, at_nanoseconds: int, pcm: bytes) -> None:
        """Mix this in; what is earlier than what was taken, or 2 s ahead of it, is left out."""
        samples = self._np.frombuffer(pcm, self._np.int16)
        wanted = (at_nanoseconds - self._origin) * SAMPLE_RATE_HZ // NANOSECONDS
        at = self._next.get(source, wanted)
        if abs(at - wanted) > JITTER_SAMPLES:
            at = wanted
        self._next[source] = at + len(samples)
        begin = at - self.taken_samples
        skipped = max(0, -begin)
        end = min(begin + len(samples), CAPACITY_SAMPLES)
        if begin + skipped < end:
            self._sum[begin + skipped : end] += samples[skipped : end - begin]

    def take(self, until_nanoseconds: int) -> bytes:
        """The sound from where the last one ended up to this time, 2 s at the most."""
        until = (until_nanoseconds - self._origin) * SAMPLE_RATE_HZ // NANOSECONDS
        count = min(until - self.taken_samples, CAPACITY_SAMPLES)
        if count <= 0:
            return b""
        taken = self._np.clip(self._sum[:count], -32768, 32767).astype(self._np.int16)
        self._sum[:-count] = self._sum[count:]
        self._sum[-count:] = 0
        self.taken_samples += count
        return bytes(taken.tobytes())
