"""The folder through which a simulated device is broken and watched.

A file named after the device holds one word, the fault it has now; `<kind>.open` exists while it
is open; logs say what a person in the room would have seen. `agent.devices.*.simulated` obey it.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from agent.core.model.documents import DeviceStatus
from agent.core.model.media import DeviceKind
from agent.devices import status
from agent.errors import DeviceAbsent, DeviceBusy

SLOW_OPEN_SECONDS = 1.0
"""How long a `slow` device takes to open."""


class FaultFolder:
    """One simulated device's share of the folder; without a folder the device is always well."""

    def __init__(self, kind: DeviceKind, directory: str | None) -> None:
        self.kind = kind
        self.directory = Path(directory) if directory else None

    def fault(self) -> str:
        """The fault now: a word, or empty when the device is well. Read anew at every call."""
        if self.directory is None:
            return ""
        try:
            return (self.directory / self.kind).read_text("utf-8").strip()
        except FileNotFoundError:
            return ""

    def raise_absent(self) -> None:
        """Raises DeviceAbsent if the device is unplugged now."""
        if self.fault() == "unplugged":
            raise DeviceAbsent("absent", self._absence())

    def open(self) -> None:
        """Mark the device as open by this process. Raises DeviceAbsent or DeviceBusy."""
        self.raise_absent()
        if self.fault() == "busy":
            raise DeviceBusy(
                "busy", f"{self.kind.capitalize()}: another program holds it (simulated)"
            )
        if self.fault() == "slow":
            time.sleep(SLOW_OPEN_SECONDS)
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
            (self.directory / f"{self.kind}.open").write_text(f"{os.getpid()}\n")

    def close(self) -> None:
        """Mark the device as closed; may be called twice."""
        if self.directory is not None:
            (self.directory / f"{self.kind}.open").unlink(missing_ok=True)

    def note(self, file: str, word: str) -> None:
        """Append `<unix seconds> <word>` to a log in the folder."""
        if self.directory is not None:
            self.directory.mkdir(parents=True, exist_ok=True)
            with (self.directory / file).open("a") as log:
                log.write(f"{time.time():.3f} {word}\n")

    def last_note(self, file: str) -> str | None:
        """The newest word in a log, or None."""
        if self.directory is None or not (self.directory / file).exists():
            return None
        lines = (self.directory / file).read_text().split()
        return lines[-1] if lines else None

    def presence(self, *, required: bool) -> DeviceStatus:
        """What a look from outside shows: only an unplugged device is seen without opening it."""
        if self.fault() == "unplugged":
            return status.absent(self._absence(), required=required)
        return status.ok(f"{self.kind.capitalize()}: simulated", required=required)

    def _absence(self) -> str:
        return f"{self.kind.capitalize()}: unplugged (simulated); check its cable"
