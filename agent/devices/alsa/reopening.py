"""Keeps one PCM open: opens it, notices that its card went, and opens it again when it is back."""

from __future__ import annotations

import contextlib
import importlib.util
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.core.documents import DeviceStatus
from agent.devices import status
from agent.devices.alsa import cards
from agent.errors import DeviceAbsent, DeviceError

if TYPE_CHECKING:
    from agent.devices.alsa.pcm import Pcm

REOPEN_SECONDS = 1.0
"""Between attempts to open a card that went away."""

WAIT_SECONDS = 0.2
"""How long one call may wait: for sound, for room, or for a card to come back."""


class ReopeningPcm:
    """One PCM of the settings. `device` as in the settings, `name` as in messages."""

    def __init__(
        self, device: str | None, *, captures: bool, name: str, sysfs: Path = cards.SYSFS
    ) -> None:
        self.name = name
        self.device = device
        self._captures = captures
        self._sysfs = sysfs
        self._pcm: Pcm | None = None
        self._lost: DeviceError | None = None
        self._next_attempt = 0.0
        self._earlier_xruns = 0

    @property
    def xruns(self) -> int:
        """Overruns or underruns since the first opening."""
        return self._earlier_xruns + (self._pcm.xruns if self._pcm else 0)

    @property
    def lost(self) -> DeviceError | None:
        """Why the device is away now; None when it is there."""
        return self._lost

    def facts(self) -> dict[str, Any]:
        """What the hardware really does, for a status; empty while it is away."""
        if self._pcm is None:
            return {}
        facts = self._pcm.facts
        return {"rate_hz": facts.rate_hz, "period_frames": facts.period_frames}

    def open(self) -> Pcm:
        """Raises DeviceAbsent, DeviceBusy, DeviceTimeout, DeviceError."""
        from agent.devices.alsa.pcm import Pcm

        self.device = cards.resolve(
            self.device, captures=self._captures, name=self.name, sysfs=self._sysfs
        )
        self._pcm = Pcm(self.device, captures=self._captures, name=self.name)
        self._lost = None
        return self._pcm

    def get(self) -> tuple[Pcm, bool]:
        """The open PCM, and whether it was opened anew just now.

        While the device is away it is looked for once a second; each call then waits 200 ms and
        raises DeviceAbsent.
        """
        if self._pcm is not None:
            return self._pcm, False
        now = time.monotonic()
        if now >= self._next_attempt:
            self._next_attempt = now + REOPEN_SECONDS
            with contextlib.suppress(DeviceError):
                return self.open(), True
        time.sleep(WAIT_SECONDS)
        raise DeviceAbsent("absent", self._lost.text if self._lost else f"{self.name}: not open")

    def let_go(self, error: DeviceError) -> None:
        """The device failed with this error: close it and look for it from now on."""
        self._lost = error
        self._next_attempt = time.monotonic() + REOPEN_SECONDS
        self.close()

    def check_presence(self) -> None:
        """Raises DeviceAbsent when the card is gone though the PCM did not say so (row 13)."""
        cards.resolve(self.device, captures=self._captures, name=self.name, sysfs=self._sysfs)

    def close(self) -> None:
        """May be called twice. A PCM that does not close in time is left to the process's end."""
        pcm, self._pcm = self._pcm, None
        if pcm is not None:
            self._earlier_xruns += pcm.xruns
            with contextlib.suppress(DeviceError):
                pcm.close()


def probe(
    device: str | None, *, captures: bool, name: str, required: bool, sysfs: Path = cards.SYSFS
) -> DeviceStatus:
    """Whether the card is there, from sysfs alone."""
    if importlib.util.find_spec("alsaaudio") is None:
        text = f"{name}: pyalsaaudio is not installed; apt-get install python3-alsaaudio"
        return status.failed("not-installed", text, required=required)
    try:
        found = cards.resolve(device, captures=captures, name=name, sysfs=sysfs)
    except DeviceError as error:
        return status.of_error(error, required=required)
    return status.ok(f"{name}: {found}", required=required, device=found)
