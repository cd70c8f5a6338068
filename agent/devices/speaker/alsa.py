"""A loudspeaker on an ALSA sound card."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent import settings
from agent.core.documents import DeviceStatus
from agent.devices import status
from agent.devices.alsa import cards, reopening
from agent.devices.speaker.volume import scale
from agent.errors import DeviceAbsent, DeviceError
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES

if TYPE_CHECKING:
    from agent.devices.alsa.mixer import VolumeControl
    from agent.devices.alsa.pcm import Pcm

NAME = "Speaker"

LEAD_PERIODS = 2
"""Silence that playing starts with, also after an underrun, so that the next period is in time."""

STALLED_SECONDS = 2.0
"""Without taking sound for so long the device is opened anew."""


def create(
    wanted: settings.Speaker, simulation: settings.Simulation, sysfs: Path = cards.SYSFS
) -> AlsaSpeaker:
    """The port `Speaker`."""
    pcm = reopening.ReopeningPcm(wanted.device, captures=False, name=NAME, sysfs=sysfs)
    return AlsaSpeaker(pcm, wanted.volume, required=wanted.required)


def probe(
    wanted: settings.Speaker, simulation: settings.Simulation, sysfs: Path = cards.SYSFS
) -> DeviceStatus:
    """Whether the card is there, without opening it."""
    return reopening.probe(
        wanted.device, captures=False, name=NAME, required=wanted.required, sysfs=sysfs
    )


class AlsaSpeaker:
    """The port `Speaker`. The PCM must do 48 kHz mono S16LE, as every `plughw:` does."""

    def __init__(self, pcm: reopening.ReopeningPcm, volume: int, *, required: bool) -> None:
        self._pcm = pcm
        self._volume = volume
        self._required = required
        self._control: VolumeControl | None = None
        self._open: Pcm | None = None
        self._dropped = 0
        self._taken_seconds = time.monotonic()

    def open(self) -> DeviceStatus:
        """See the port."""
        self._start(self._pcm.open())
        return self.status()

    def write(self, period: bytes) -> None:
        """See the port. A loudspeaker that came back is opened again by this."""
        pcm, anew = self._pcm.get()
        try:
            if anew:
                self._start(pcm)
            self._play(pcm, period if self._control else scale(period, self._volume))
        except DeviceError as error:
            self._open = None
            self._pcm.let_go(error)
            raise DeviceAbsent(error.code, error.text) from error

    def set_volume(self, percent: int) -> None:
        """See the port."""
        self._volume = percent
        if self._control is not None:
            self._control.set(percent)

    def delay_seconds(self) -> float:
        """See the port."""
        return self._open.queued_seconds() if self._open else 0.0

    def status(self) -> DeviceStatus:
        """See the port."""
        detail = {
            "device": self._pcm.device,
            "xruns": self._pcm.xruns,
            "dropped": self._dropped,
            "volume": self._volume,
            "mixer": self._control.name if self._control else "software",
            **self._pcm.facts(),
        }
        if lost := self._pcm.lost:
            gone = status.of_error(lost, required=self._required)
            return DeviceStatus(gone.status, gone.code, gone.text, self._required, detail)
        return status.ok(f"{NAME}: {self._pcm.device}", required=self._required, **detail)

    def close(self) -> None:
        """See the port."""
        self._open = None
        self._pcm.close()

    def _start(self, pcm: Pcm) -> None:
        from agent.devices.alsa import mixer

        self._open = pcm
        self._taken_seconds = time.monotonic()
        card = cards.card_of(self._pcm.device or "")
        self._control = mixer.find(card) if card else None
        self.set_volume(self._volume)
        pcm.write(bytes(LEAD_PERIODS * PERIOD_BYTES))

    def _play(self, pcm: Pcm, sound: bytes) -> None:
        """Write all of it, or drop the rest when there is no room in time."""
        deadline = time.monotonic() + reopening.WAIT_SECONDS
        while sound:
            taken = pcm.write(sound)
            if taken < 0:
                pcm.write(bytes(LEAD_PERIODS * PERIOD_BYTES))
            elif taken > 0:
                self._taken_seconds = time.monotonic()
                sound = sound[taken * PERIOD_BYTES // PERIOD_FRAMES :]
            else:
                remaining = deadline - time.monotonic()
                if remaining <= 0:
                    return self._no_room()
                pcm.wait(remaining)
        return None

    def _no_room(self) -> None:
        """Count it. Raises DeviceError when the card is gone, or to have a stalled one reopened."""
        self._dropped += 1
        self._pcm.check_presence()
        if time.monotonic() - self._taken_seconds >= STALLED_SECONDS:
            text = f"{NAME}: {self._pcm.device} takes no sound; replug it"
            raise DeviceError("stalled", text)
