"""What microphone and loudspeaker on an ALSA card have in common: from the settings' name to an open PCM."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from agent import settings
from agent.core.model.device_detail import SoundDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.alsa import cards
from agent.errors import DeviceError, DeviceTimeout

if TYPE_CHECKING:
    from agent.devices.alsa.pcm import Pcm

WAIT_SECONDS = 0.2
"""The longest that `read` waits for a period, and `write` for room."""

STALLED_SECONDS = 2.0
"""Without sound moving for so long the device shall be opened anew."""


class AlsaDevice:
    """Holds the PCM while it is open."""

    name: str
    """In messages."""
    captures: bool

    def __init__(
        self, wanted: settings.Microphone | settings.Speaker, sysfs: Path = cards.SYSFS
    ) -> None:
        self._wanted = wanted
        self._sysfs = sysfs
        self._open_pcm: Pcm | None = None

    def close(self) -> None:
        """See the port."""
        pcm, self._open_pcm = self._open_pcm, None
        if pcm is not None:
            pcm.close()

    @property
    def _pcm(self) -> Pcm:
        """Raises DeviceError while it is not open."""
        if self._open_pcm is None:
            raise DeviceError("closed", f"{self.name}: not open")
        return self._open_pcm

    def _open(self) -> Pcm:
        """Raises as `Camera.start`."""
        from agent.devices.alsa.pcm import Pcm

        self._open_pcm = Pcm(self._resolve(), captures=self.captures, name=self.name)
        return self._open_pcm

    def _resolve(self) -> str:
        return cards.resolve(
            self._wanted.device, captures=self.captures, name=self.name, sysfs=self._sysfs
        )

    def _explain(self, error: DeviceError) -> DeviceError:
        """What is gone from sysfs is absent, whatever ALSA called it (row 13)."""
        try:
            self._resolve()
        except DeviceError as absent:
            return absent
        return error

    def _stalled(self, what: str) -> DeviceTimeout:
        return DeviceTimeout("stalled", f"{self.name}: {what}; replug it")

    def _status(self, detail: SoundDetail, fault: DeviceStatus | None = None) -> DeviceStatus:
        """Well, or the `fault` that the caller has found, with its `detail` and what the PCM really does."""
        required = self._wanted.required
        pcm = self._open_pcm
        if pcm is None:
            return status.failed("closed", f"{self.name}: not open", required=required)
        said = fault or status.ok(f"{self.name}: {pcm.device}", required=required)
        facts = structs.replace(
            detail,
            rate_hz=pcm.facts.rate_hz,
            period_frames=pcm.facts.period_frames,
            xruns=pcm.xruns,
        )
        return structs.replace(said, detail=facts)
