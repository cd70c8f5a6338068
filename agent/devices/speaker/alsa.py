"""A loudspeaker on an ALSA sound card."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent import settings
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.alsa import cards, presence
from agent.devices.speaker.volume import scale
from agent.errors import DeviceError, DeviceTimeout
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES

if TYPE_CHECKING:
    from agent.devices.alsa.mixer import VolumeControl
    from agent.devices.alsa.pcm import Pcm

NAME = "Speaker"

LEAD = bytes(2 * PERIOD_BYTES)
"""Silence that playing starts with, also after an underrun, so that the next period is in time."""

WAIT_SECONDS = 0.2
"""The longest that `write` waits for room."""

STALLED_SECONDS = 2.0
"""Without taking sound for so long the device shall be opened anew."""


def create(
    wanted: settings.Speaker, simulation: settings.Simulation, sysfs: Path = cards.SYSFS
) -> AlsaSpeaker:
    """The port `Speaker`."""
    return AlsaSpeaker(wanted, sysfs)


def probe(
    wanted: settings.Speaker, simulation: settings.Simulation, sysfs: Path = cards.SYSFS
) -> DeviceStatus:
    """Whether the card is there, without opening it."""
    return presence.probe(
        wanted.device, captures=False, name=NAME, required=wanted.required, sysfs=sysfs
    )


class AlsaSpeaker:
    """The port `Speaker`. The PCM must do 48 kHz mono S16LE, as every `plughw:` does."""

    def __init__(self, wanted: settings.Speaker, sysfs: Path = cards.SYSFS) -> None:
        self._wanted = wanted
        self._sysfs = sysfs
        self._volume = wanted.volume
        self._control: VolumeControl | None = None
        self._pcm: Pcm | None = None
        self._dropped = 0
        self._taken_seconds = 0.0

    def open(self) -> DeviceStatus:
        """See the port."""
        from agent.devices.alsa import mixer
        from agent.devices.alsa.pcm import Pcm

        device = self._resolve()
        self._pcm = Pcm(device, captures=False, name=NAME)
        card = cards.card_of(device)
        self._control = mixer.find(card) if card else None
        self.set_volume(self._volume)
        self._pcm.write(LEAD)
        self._taken_seconds = time.monotonic()
        return self.status()

    def write(self, sound: bytes) -> None:
        """See the port. Also raises DeviceTimeout when nothing is taken for 2 s: open it again."""
        if self._pcm is None:
            raise DeviceError("closed", f"{NAME}: not open")
        try:
            self._play(self._pcm, sound if self._control else scale(sound, self._volume))
        except DeviceError:
            self._resolve()  # gone from sysfs, it's absent, whatever ALSA called it (row 13)
            raise

    def set_volume(self, percent: int) -> None:
        """See the port."""
        self._volume = percent
        if self._control is not None:
            self._control.set(percent)

    def delay_seconds(self) -> float:
        """See the port."""
        return self._pcm.queued_seconds() if self._pcm else 0.0

    def status(self) -> DeviceStatus:
        """See the port."""
        required = self._wanted.required
        if self._pcm is None:
            return status.failed("closed", f"{NAME}: not open", required=required)
        detail = {
            **self._pcm.facts.detail(),
            "xruns": self._pcm.xruns,
            "dropped": self._dropped,
            "volume": self._volume,
            "mixer": self._control.name if self._control else "software",
        }
        return status.ok(f"{NAME}: {self._pcm.device}", required=required, **detail)

    def close(self) -> None:
        """See the port."""
        pcm, self._pcm = self._pcm, None
        if pcm is not None:
            pcm.close()

    def _resolve(self) -> str:
        return cards.resolve(self._wanted.device, captures=False, name=NAME, sysfs=self._sysfs)

    def _play(self, pcm: Pcm, sound: bytes) -> None:
        """Write all of it, or drop the rest when there is no room in time."""
        deadline = time.monotonic() + WAIT_SECONDS
        while sound:
            taken = pcm.write(sound)
            if taken < 0:
                pcm.write(LEAD)
            elif taken > 0:
                self._taken_seconds = time.monotonic()
                sound = sound[taken * PERIOD_BYTES // PERIOD_FRAMES :]
            elif (remaining := deadline - time.monotonic()) > 0:
                pcm.wait(remaining)
            else:
                self._no_room(pcm.device)
                return

    def _no_room(self, device: str) -> None:
        self._dropped += 1
        if time.monotonic() - self._taken_seconds >= STALLED_SECONDS:
            raise DeviceTimeout("stalled", f"{NAME}: {device} takes no sound; replug it")
