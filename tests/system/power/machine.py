"""The room as a virtual machine on a disk of its own, with a power plug to pull."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from tests.system.power.disk import Cut
from tests.system.power.nbd import Server

CUT_SECONDS = 60
ROUTE = Path(__file__).with_name("to-broker")
"""QEMU starts it for each connection of the guest to 10.0.2.100:1883, which nothing else can reach."""


class Machine:
    """Running from the start to `cut()`; what its console said is in `console`, what it hands over in the folder `kept`."""

    def __init__(self, qemu: list[str], disk: Server, broker_port: int, console: Path) -> None:
        self._disk = disk
        self._console = console
        console.unlink(missing_ok=True)
        self.kept = console.with_name(f"{console.name}-kept")
        self.kept.mkdir()
        broker = f"guestfwd=tcp:10.0.2.100:1883-cmd:{ROUTE} {broker_port}"
        devices = [
            *("-drive", f"if=none,id=disk,file=nbd:unix:{disk.path},format=raw,cache=writeback"),
            *("-device", "virtio-blk-pci,drive=disk", "-serial", f"file:{console}"),
            *("-netdev", f"user,id=net,restrict=on,{broker}"),
            *("-device", "virtio-net-pci,netdev=net"),
            *("-fsdev", f"local,id=kept,path={self.kept},security_model=none"),
            *("-device", "virtio-9p-pci,fsdev=kept,mount_tag=kept"),
        ]
        self._process = subprocess.Popen(
            [*qemu, *devices], stdin=subprocess.DEVNULL, start_new_session=True
        )

    def console(self) -> str:
        return self._console.read_text(errors="replace") if self._console.exists() else ""

    def clock(self) -> float:
        """The last time that it said, in seconds since the epoch."""
        said = re.findall(r"clock: (\d+\.\d+)\r?$", self.console(), re.MULTILINE)
        assert said, f"the clock said nothing:\n{self.console()[-2000:]}"
        return float(said[-1])

    def cut(self) -> Cut:
        """The power goes, in the middle of whatever it does."""
        self.end()
        return self._disk.cuts.get(timeout=CUT_SECONDS)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
