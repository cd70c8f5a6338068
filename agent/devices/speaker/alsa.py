"""A loudspeaker on an ALSA sound card."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from agent import settings
from agent.core.model.device_detail import SoundDetail
from agent.core.model.documents import DeviceStatus
from agent.devices.alsa import cards, presence
from agent.devices.alsa.device import STALLED_SECONDS, WAIT_SECONDS, AlsaDevice
from agent.devices.speaker.volume import gain, scaled
from agent.errors import DeviceError
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES

if TYPE_CHECKING:
    from agent.devices.alsa.mixer import VolumeControl
    from agent.devices.alsa.pcm import Pcm

NAME = "Speaker"

LEAD = bytes(2 * PERIOD_BYTES)
"""Silence that playing starts with, also after an underrun, so that the next period is in time."""


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


class AlsaSpeaker(AlsaDevice):
    """The port `Speaker`. The PCM must do 48 kHz mono S16LE, as every `plughw:` does."""

    name = NAME
    captures = False

    def __init__(self, wanted: settings.Speaker, sysfs: Path = cards.SYSFS) -> None:
        super().__init__(wanted, sysfs)
        self._volume = wanted.volume
        self._control: VolumeControl | None = None
        self._gain = 1.0
        """What the card's own volume leaves to be done to the samples."""
        self._dropped = 0
        self._taken_seconds = 0.0

    def open(self) -> DeviceStatus:
        """See the port."""
        from agent.devices.alsa import mixer

        pcm = self._open()
        card = cards.card_of(pcm.device)
        self._control = mixer.find(card) if card else None
        self.set_volume(self._volume)
        pcm.write(LEAD)
        self._taken_seconds = time.monotonic()
        return self.status()

    def write(self, sound: bytes) -> None:
        """See the port. Also raises DeviceTimeout when nothing is taken for 2 s: open it again."""
        pcm = self._pcm
        try:
            self._play(pcm, scaled(sound, self._gain))
        except DeviceError as error:
            raise self._explain(error) from error

    def set_volume(self, percent: int) -> None:
        """See the port."""
        self._volume = percent
        wanted = gain(percent)
        self._gain = self._control.set(wanted) if self._control else wanted

    def delay_seconds(self) -> float:
        """See the port."""
        return self._open_pcm.queued_seconds() if self._open_pcm else 0.0

    def status(self) -> DeviceStatus:
        """See the port."""
        mixer = self._control.name if self._control else "software"
        return self._status(SoundDetail(dropped=self._dropped, mixer=mixer))

    def _play(self, pcm: Pcm, sound: bytes) -> None:
        """Write all of it, or drop the rest when there is no room in time."""
        deadline = time.monotonic() + WAIT_SECONDS
        while sound:
            taken = pcm.write(sound)
            if taken > 0:
                self._taken_seconds = time.monotonic()
                sound = sound[taken * PERIOD_BYTES // PERIOD_FRAMES :]
                continue
            if taken < 0:
                pcm.write(LEAD)
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                self._no_room(pcm.device)
                return
            pcm.wait(remaining)

    def _no_room(self, device: str) -> None:
        self._dropped += 1
        if time.monotonic() - self._taken_seconds >= STALLED_SECONDS:
            raise self._stalled(f"{device} takes no sound")
