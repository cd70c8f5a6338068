"""The air of a simulated room: what its loudspeaker plays reaches its microphone, a bit softer.

A FIFO in the simulation's folder, so that both may be in different processes; bounded by the
kernel's pipe buffer, and empty again when both have closed it.
"""

from __future__ import annotations

import fcntl
import os
import sys
import termios
from pathlib import Path

from agent import settings
from agent.devices import samples
from agent.ports import PERIOD_BYTES

FIFO = "air"

LEAD_BYTES = 4 * PERIOD_BYTES
"""Travels before the first is heard, so that two processes' clocks tear no holes into the sound."""

LOSS = 0.2
"""14 dB from the loudspeaker to the microphone."""


class Air:
    """One end of it. Without `simulation.echo` nothing is carried."""

    def __init__(self, simulation: settings.Simulation) -> None:
        carries = simulation.echo and simulation.directory is not None
        self._path = Path(simulation.directory or "", FIFO) if carries else None
        self._fifo: int | None = None
        self._flowing = False

    def open(self) -> None:
        """Take hold of it, and let what was still in it fade."""
        if self._path is None:
            return
        if not self._path.is_fifo():
            os.mkfifo(self._path)
        # Opened for both ways, so that neither end waits for the other.
        self._fifo = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def play(self, sound: bytes) -> None:
        """Let it sound; it is lost when nobody listens."""
        if self._fifo is None:
            return
        try:
            os.write(self._fifo, sound)
        except BlockingIOError:
            return

    def hear(self, period: bytes) -> bytes:
        """The period with what sounds in the room mixed in."""
        if self._fifo is None:
            return period
        self._flowing = self._waiting_bytes() >= (1 if self._flowing else LEAD_BYTES)
        if not self._flowing:
            return period
        sounding = os.read(self._fifo, PERIOD_BYTES).ljust(len(period), b"\0")
        pairs = zip(samples.to_numbers(period), samples.to_numbers(sounding), strict=True)
        return samples.to_bytes(own + LOSS * other for own, other in pairs)

    def _waiting_bytes(self) -> int:
        answer = fcntl.ioctl(self._fifo or 0, termios.FIONREAD, b"\0" * 4)
        return int.from_bytes(answer, sys.byteorder)

    def close(self) -> None:
        """Let go; may be called twice."""
        if self._fifo is not None:
            os.close(self._fifo)
            self._fifo = None
