"""A loudspeaker that remembers when it sounded, and whose clock is its own: the port `Speaker`."""

from __future__ import annotations

import time

import numpy as np

from agent.core.model.device_detail import SoundDetail
from agent.core.model.documents import DeviceStatus, Status
from tests.support.sounds import RATE_HZ, Sound

LEAD_SAMPLES = RATE_HZ * 20 // 1000
BUFFER_SAMPLES = RATE_HZ * 100 // 1000


class Loudspeaker:
    """Its card runs `ppm` millionths fast. `told_seconds` of delay the driver knows of; of
    `hidden_seconds` it doesn't.
    """

    def __init__(
        self, *, ppm: float = 0.0, told_seconds: float = 0.0, hidden_seconds: float = 0.0
    ) -> None:
        self._rate = RATE_HZ * (1 + ppm / 1e6)
        self._told, self._hidden = told_seconds, hidden_seconds
        self._pieces: list[bytes] = []
        self._written = 0
        self._started: float | None = None
        self.underruns = 0

    def open(self) -> DeviceStatus:
        return self.status()

    def write(self, sound: bytes) -> None:
        if self._started is None:
            self._started = time.monotonic()
            self._keep(bytes(2 * LEAD_SAMPLES))
        if (gap := self._played() - self._written) > 0:
            self.underruns += 1
            self._keep(bytes(2 * gap))
        excess = self._written + len(sound) // 2 - self._played() - BUFFER_SAMPLES
        if excess > 0:
            time.sleep(excess / self._rate)
        self._keep(sound)

    def set_volume(self, percent: int) -> None:
        """As loud as it is."""

    def delay_seconds(self) -> float:
        return max(0, self._written - self._played()) / self._rate + self._told

    def status(self) -> DeviceStatus:
        detail = SoundDetail(xruns=self.underruns)
        return DeviceStatus(Status.OK, "ok", "Speaker: remembers", False, detail)

    def close(self) -> None:
        """What it remembers is left."""

    def heard(self) -> tuple[Sound, float, float]:
        """All of it so far, the monotonic time of its first sample, and samples a second."""
        started = (self._started or 0.0) + self._told + self._hidden
        return np.frombuffer(b"".join(self._pieces), np.int16), started, self._rate

    def _played(self) -> int:
        return int((time.monotonic() - (self._started or 0.0)) * self._rate)

    def _keep(self, sound: bytes) -> None:
        self._pieces.append(sound)
        self._written += len(sound) // 2
