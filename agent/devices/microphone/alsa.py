"""A microphone on an ALSA sound card."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from agent import settings
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.alsa import cards, presence
from agent.devices.microphone.level import LevelWatch
from agent.errors import DeviceError, DeviceTimeout
from agent.ports import PERIOD_BYTES

if TYPE_CHECKING:
    from agent.devices.alsa.pcm import Pcm

NAME = "Microphone"

WAIT_SECONDS = 0.2
"""The longest that `read` waits for a period."""

STALLED_SECONDS = 2.0
"""Without sound for so long the device shall be opened anew."""


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


class AlsaMicrophone:
    """The port `Microphone`. The PCM must do 48 kHz mono S16LE, as every `plughw:` does."""

    def __init__(self, wanted: settings.Microphone, sysfs: Path = cards.SYSFS) -> None:
        self._wanted = wanted
        self._sysfs = sysfs
        self._pcm: Pcm | None = None
        self._rest = b""
        self._silences = 0
        self._level = LevelWatch()
        self._heard_seconds = 0.0

    def open(self) -> DeviceStatus:
        """See the port."""
        from agent.devices.alsa.pcm import Pcm

        self._pcm = Pcm(self._resolve(), captures=True, name=NAME)
        self._rest = b""
        self._level = LevelWatch()
        self._heard_seconds = time.monotonic()
        return self.status()

    def read(self) -> bytes:
        """See the port. Also raises DeviceTimeout after 2 s without sound: open it again then."""
        if self._pcm is None:
            raise DeviceError("closed", f"{NAME}: not open")
        try:
            period = self._next_period(self._pcm) or self._no_sound(self._pcm.device)
        except DeviceError:
            self._resolve()  # gone from sysfs, it's absent, whatever ALSA called it (row 13)
            raise
        if period:
            self._level.hear(period)
        return period

    def status(self) -> DeviceStatus:
        """See the port."""
        required = self._wanted.required
        if self._pcm is None:
            return status.failed("closed", f"{NAME}: not open", required=required)
        said = self._level.fault(required=required) or status.ok(
            f"{NAME}: {self._pcm.device}", required=required
        )
        detail = {
            **self._pcm.facts.detail(),
            "xruns": self._pcm.xruns,
            "silences": self._silences,
            "level_dbfs": self._level.level_dbfs(),
        }
        return msgspec.structs.replace(said, detail=detail)

    def close(self) -> None:
        """See the port."""
        pcm, self._pcm = self._pcm, None
        if pcm is not None:
            pcm.close()

    def _resolve(self) -> str:
        return cards.resolve(self._wanted.device, captures=True, name=NAME, sysfs=self._sysfs)

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
            raise DeviceTimeout("stalled", f"{NAME}: no sound arrives from {device}; replug it")
        return b""
