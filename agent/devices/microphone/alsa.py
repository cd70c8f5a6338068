"""A microphone on an ALSA sound card."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent import settings
from agent.core.model.device_detail import SoundDetail
from agent.core.model.documents import DeviceStatus
from agent.devices.alsa import cards, presence
from agent.devices.alsa.device import STALLED_SECONDS, WAIT_SECONDS, AlsaDevice
from agent.devices.microphone.level import LevelWatch
from agent.errors import DeviceError
from agent.ports import PERIOD_BYTES

if TYPE_CHECKING:
    from agent.devices.alsa.pcm import Pcm

NAME = "Microphone"


def create(
    wanted: settings.Microphone, simulation: settings.Simulation, sysfs: Path = cards.SYSFS
) -> AlsaMicrophone:
    """The port `Microphone`."""
    return AlsaMicrophone(wanted, sysfs)


def probe(
    wanted: settings.Microphone, simulation: settings.Simulation, sysfs: Path = cards.SYSFS
) -> DeviceStatus:
    """Whether the card is there, without opening it."""
    return presence.probe(
        wanted.device, captures=True, name=NAME, required=wanted.required, sysfs=sysfs
    )


class AlsaMicrophone(AlsaDevice):
    """The port `Microphone`. The PCM must do 48 kHz mono S16LE, as every `plughw:` does."""

    name = NAME
    captures = True

    def __init__(self, wanted: settings.Microphone, sysfs: Path = cards.SYSFS) -> None:
        super().__init__(wanted, sysfs)
        self._rest = b""
        self._silences = 0
        self._level = LevelWatch()
        self._heard_seconds = 0.0

    def open(self) -> DeviceStatus:
        """See the port."""
        self._open()
        self._rest = b""
        self._level = LevelWatch()
        self._heard_seconds = time.monotonic()
        return self.status()

    def read(self) -> bytes:
        """See the port. Also raises DeviceTimeout after 2 s without sound: open it again then."""
        pcm = self._pcm
        try:
            period = self._next_period(pcm) or self._no_sound(pcm.device)
        except DeviceError as error:
            raise self._explain(error) from error
        if period:
            self._level.hear(period)
        return period

    def status(self) -> DeviceStatus:
        """See the port."""
        return self._status(
            SoundDetail(silences=self._silences, level_dbfs=self._level.level_dbfs()),
            self._level.fault(required=self._wanted.required),
        )

    def _next_period(self, pcm: Pcm) -> bytes:
        """One period, or empty when none came in time."""
        deadline = time.monotonic() + WAIT_SECONDS
        while len(self._rest) < PERIOD_BYTES:
            xruns = pcm.xruns
            sound = pcm.read()
            # What came before a gap does not belong to what comes after it.
            self._rest = sound if pcm.xruns != xruns else self._rest + sound
            if not sound:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return b""
                pcm.wait(remaining)
        period, self._rest = self._rest[:PERIOD_BYTES], self._rest[PERIOD_BYTES:]
        self._heard_seconds = time.monotonic()
        return period

    def _no_sound(self, device: str) -> bytes:
        self._silences += 1
        if time.monotonic() - self._heard_seconds >= STALLED_SECONDS:
            raise self._stalled(f"no sound arrives from {device}")
        return b""
