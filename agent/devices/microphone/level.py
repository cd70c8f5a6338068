"""How loud the microphone is, and whether that can be right: dead, clipping or far too quiet.

Pure: time is counted in periods of 10 ms. Levels are RMS in dBFS, where a full-scale square wave
has 0 and a full-scale sine -3 (AES17 would add 3 dB).
"""

from __future__ import annotations

import math
from collections import deque
from operator import mul

from msgspec import Struct

from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.samples import HIGHEST, to_numbers

MEASURED_EVERY = 4
"""Every fourth period is looked at: 0.1 % of a core instead of 0.4."""

SECOND_PERIODS = 100

DEAD_SECONDS = 3
"""Any working microphone has noise; nothing but zeros is a mute switch or a broken one."""

CLIPPING_SECONDS = 5
CLIPPED_SAMPLES = 3
"""So many samples at full scale make a period a clipped one."""
CLIPPED_SHARE = 0.1
"""So many clipped periods are more than a cough or a knock on the table."""

QUIET_SECONDS = 30
QUIET_DBFS = -66.0
"""A room with people in it, at a conference microphone's gain, is 10 to 20 dB above this."""

SILENCE_DBFS = -120.0
"""Said for exact silence, which has no level."""


class Second(Struct, frozen=True):
    """One second of sound: its loudest RMS (0 to 1), and the share of periods that clipped."""

    loudest: float
    clipped: float


class LevelWatch:
    """One microphone's level since it was opened."""

    def __init__(self) -> None:
        self._periods = 0
        self._measured: list[tuple[float, bool]] = []
        self._seconds: deque[Second] = deque(maxlen=QUIET_SECONDS)

    def hear(self, period: bytes) -> None:
        """Take the next period (S16LE) into account."""
        self._periods += 1
        if self._periods % MEASURED_EVERY == 0:
            self._measured.append(measure(period))
        if self._periods % SECOND_PERIODS == 0:
            clipped = sum(clips for _, clips in self._measured) / len(self._measured)
            self._seconds.append(Second(max(rms for rms, _ in self._measured), clipped))
            self._measured = []

    def level_dbfs(self) -> float:
        """The loudest level of the last whole second."""
        return dbfs(self._seconds[-1].loudest) if self._seconds else SILENCE_DBFS

    def fault(self, *, required: bool) -> DeviceStatus | None:
        """What is wrong with the level, or None."""
        if self._lasts(DEAD_SECONDS) and self._loudest(DEAD_SECONDS) == 0:
            text = "Microphone: delivers exact silence; check its mute switch, then replug it"
            return status.failed("dead", text, required=required)
        if self._lasts(CLIPPING_SECONDS) and self._clipped() > CLIPPED_SHARE:
            text = "Microphone: overdriven, the sound is distorted; lower its gain"
            return status.degraded("clipping", text, required=required)
        if self._lasts(QUIET_SECONDS) and dbfs(self._loudest(QUIET_SECONDS)) < QUIET_DBFS:
            level = dbfs(self._loudest(QUIET_SECONDS))
            text = f"Microphone: hardly a sound for {QUIET_SECONDS} s ({level:.0f} dBFS); check its gain, its cable and whether it is covered"
            return status.degraded("too-quiet", text, required=required)
        return None

    def _lasts(self, seconds: int) -> bool:
        return len(self._seconds) >= seconds

    def _loudest(self, seconds: int) -> float:
        return max(second.loudest for second in list(self._seconds)[-seconds:])

    def _clipped(self) -> float:
        last = list(self._seconds)[-CLIPPING_SECONDS:]
        return sum(second.clipped for second in last) / len(last)


def measure(period: bytes) -> tuple[float, bool]:
    """The RMS (0 to 1) of S16LE sound, and whether it clips."""
    samples = to_numbers(period)
    rms = math.sqrt(sum(map(mul, samples, samples)) / len(samples)) / (HIGHEST + 1)
    if max(samples) < HIGHEST and min(samples) > -HIGHEST:
        return rms, False
    return rms, sum(abs(sample) >= HIGHEST for sample in samples) >= CLIPPED_SAMPLES


def dbfs(rms: float) -> float:
    """An RMS of 0 to 1 in dBFS, to a tenth."""
    return round(max(SILENCE_DBFS, 20 * math.log10(rms)), 1) if rms else SILENCE_DBFS
