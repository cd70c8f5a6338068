"""A microphone on an ALSA sound card."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent import settings
from agent.core.documents import DeviceStatus
from agent.devices import status
from agent.devices.alsa import cards, reopening
from agent.errors import DeviceAbsent, DeviceError
from agent.ports import PERIOD_BYTES

if TYPE_CHECKING:
    from agent.devices.alsa.pcm import Pcm

NAME = "Microphone"

STALLED_SECONDS = 2.0
"""Without sound for so long the device is opened anew."""


def create(
    wanted: settings.Microphone, simulation: settings.Simulation, sysfs: Path = cards.SYSFS
) -> AlsaMicrophone:
    """The port `Microphone`."""
    pcm = reopening.ReopeningPcm(wanted.device, captures=True, name=NAME, sysfs=sysfs)
    return AlsaMicrophone(pcm, required=wanted.required)


def probe(
    wanted: settings.Microphone, simulation: settings.Simulation, sysfs: Path = cards.SYSFS
) -> DeviceStatus:
    """Whether the card is there, without opening it."""
    return reopening.probe(
        wanted.device, captures=True, name=NAME, required=wanted.required, sysfs=sysfs
    )


class AlsaMicrophone:
    """The port `Microphone`. The PCM must do 48 kHz mono S16LE, as every `plughw:` does."""

    def __init__(self, pcm: reopening.ReopeningPcm, *, required: bool) -> None:
        self._pcm = pcm
        self._required = required
        self._rest = b""
        self._silences = 0
        self._heard_seconds = time.monotonic()

    def open(self) -> DeviceStatus:
        """See the port."""
        self._start(self._pcm.open())
        return self.status()

    def read(self) -> bytes:
        """See the port. A microphone that came back is opened again by this."""
        pcm, anew = self._pcm.get()
        if anew:
            self._start(pcm)
        try:
            return self._next_period(pcm) or self._no_sound()
        except DeviceError as error:
            self._pcm.let_go(error)
            raise DeviceAbsent(error.code, error.text) from error

    def status(self) -> DeviceStatus:
        """See the port."""
        detail = {
            "device": self._pcm.device,
            "xruns": self._pcm.xruns,
            "silences": self._silences,
            **self._pcm.facts(),
        }
        if lost := self._pcm.lost:
            gone = status.of_error(lost, required=self._required)
            return DeviceStatus(gone.status, gone.code, gone.text, self._required, detail)
        return status.ok(f"{NAME}: {self._pcm.device}", required=self._required, **detail)

    def close(self) -> None:
        """See the port."""
        self._pcm.close()

    def _start(self, pcm: Pcm) -> None:
        self._rest = b""
        self._heard_seconds = time.monotonic()

    def _next_period(self, pcm: Pcm) -> bytes:
        """One period, or empty when none came in time."""
        deadline = time.monotonic() + reopening.WAIT_SECONDS
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

    def _no_sound(self) -> bytes:
        """Count it. Raises DeviceError when the card is gone, or to have a stalled one reopened."""
        self._silences += 1
        self._pcm.check_presence()
        if time.monotonic() - self._heard_seconds >= STALLED_SECONDS:
            text = f"{NAME}: no sound arrives from {self._pcm.device}; replug it"
            raise DeviceError("stalled", text)
        return b""
