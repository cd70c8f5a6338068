"""A disk with a volatile write cache: what was not flushed may be lost when the power is cut.

QEMU's own disk loses nothing when QEMU is killed, since this machine's kernel has the writes. This one
takes back a random half of the sectors written since the last flush, as a real disk might.
"""

from __future__ import annotations

import os
import random
import threading
from pathlib import Path
from typing import NamedTuple

SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""


class Cut(NamedTuple):
    """What a power cut did, in sectors, and what the disk had to do since the last one."""

    lost: int
    unflushed: int
    written: int
    flushes: int


class Disk:
    """A raw image. Offsets and lengths are whole sectors; any thread may call."""

    def __init__(self, image: Path, chance: random.Random) -> None:
        self._descriptor = os.open(image, os.O_RDWR | os.O_CLOEXEC)
        self.size_bytes = os.fstat(self._descriptor).st_size
        self._chance = chance
        self._lock = threading.Lock()
        self._before: dict[int, bytes] = {}
        """Sectors written since the last flush, by number: what is there for certain."""
        self._written = self._flushes = 0

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._descriptor, length, offset)

    def write(self, offset: int, data: bytes, *, durable: bool = False) -> None:
        """`durable` (forced unit access) has it on the medium before this returns."""
        with self._lock:
            self._written += len(data) // SECTOR_BYTES
            for start in range(offset, offset + len(data), SECTOR_BYTES):
                sector = start // SECTOR_BYTES
                if durable:
                    self._before.pop(sector, None)
                elif sector not in self._before:
                    self._before[sector] = self.read(start, SECTOR_BYTES)
            os.pwrite(self._descriptor, data, offset)

    def flush(self) -> None:
        with self._lock:
            self._flushes += 1
            self._before.clear()

    def cut(self) -> Cut:
        """The power goes."""
        with self._lock:
            lost = [sector for sector in self._before if self._chance.random() < 0.5]
            for sector in lost:
                os.pwrite(self._descriptor, self._before[sector], sector * SECTOR_BYTES)
            cut = Cut(len(lost), len(self._before), self._written, self._flushes)
            self._before.clear()
            self._written = self._flushes = 0
        return cut

    def close(self) -> None:
        os.close(self._descriptor)
