"""The cable of a sound card, between our drivers and alsa-lib's file PCM: it does what USB cables and kernels do."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import alsaaudio
import pytest

from agent.devices.alsa.pcm import Pcm
from tests.support import asound


class Cable:
    """Of one open PCM."""

    def __init__(self, pcm: Any) -> None:
        self._pcm = pcm
        self.plugged = True
        self.overruns = 0
        self.stops = False
        """Whether each write ends in an underrun at once, as with a USB bus that has no room for it."""
        self.stopped = False
        self.close_seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pcm, name)

    def read(self) -> tuple[int, bytes]:
        self._be_there()
        if self.overruns:
            self.overruns -= 1
            return -errno.EPIPE, b"junk of any length"
        frames, sound = self._pcm.read()
        return frames, sound

    def write(self, sound: bytes) -> int:
        self._be_there()
        self.stopped = self.stops
        return -errno.EPIPE if self.stops else int(self._pcm.write(sound))

    def state(self) -> int:
        """As the kernel says it, also of a card that has just gone."""
        return alsaaudio.PCM_STATE_XRUN if self.stopped else int(self._pcm.state())

    def drop(self) -> None:
        self._be_there()
        self.stopped = False
        self._pcm.drop()

    def close(self) -> None:
        time.sleep(self.close_seconds)
        self._pcm.close()

    def _be_there(self) -> None:
        if not self.plugged:
            raise alsaaudio.ALSAAudioError(f"{os.strerror(errno.ENODEV)} [plughw:CARD=Jabra]")


class CabledPcm(Pcm):
    """Its cable is the last one made."""

    cable: Cable

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pcm = CabledPcm.cable = Cable(self._pcm)


class Card:
    """The card `Jabra` in a sysfs of its own, and what `create(pcm, sysfs)` makes on it: a microphone or a loudspeaker."""

    PCM = "plughw:CARD=Jabra,DEV=0"

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, folder: Path, create: Callable[[str, Path], Any]
    ) -> None:
        monkeypatch.setattr("agent.devices.alsa.pcm.Pcm", CabledPcm)
        asound.file_pcms(monkeypatch, folder)
        self._sysfs = folder / "sys"
        self.device = create(self.PCM, self._sysfs)

    @property
    def cable(self) -> Cable:
        return CabledPcm.cable

    def plug(self, index: int) -> None:
        asound.plug_card(self._sysfs, "Jabra", index)

    def unplug(self, index: int) -> None:
        asound.unplug_card(self._sysfs, index)
        self.cable.plugged = False
