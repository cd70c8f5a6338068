"""The air of a simulated room: what its loudspeaker plays reaches its microphone, a bit softer.

A FIFO in the simulation's folder, so that both may be in different processes. Every piece says when it
sounds, and is heard in the period that was recorded then: a reader that is late, or catches up, finds
no hole. Bounded by the kernel's pipe buffer; what nobody heard in time is gone.
"""

from __future__ import annotations

import contextlib
import os
import struct
from pathlib import Path

from agent import settings
from agent.devices import samples
from agent.ports import PERIOD_BYTES, PERIOD_FRAMES

FIFO = "air"

FRAME_BYTES = PERIOD_BYTES // PERIOD_FRAMES

HEAD = struct.Struct("=qi")
"""The frame of the monotonic clock with which a piece begins, and its bytes."""

PIECE_BYTES = 2 * PERIOD_BYTES
"""With its head less than PIPE_BUF: written and read whole."""

PIPE_BYTES = 65536
"""Linux's pipe buffer; so much is read at once, hence never half a piece."""

LOSS = 0.2
"""14 dB from the loudspeaker to the microphone."""


class Air:
    """One end of it. Without `simulation.echo` nothing is carried.

    Frames are counted on the monotonic clock, 48,000 a second.
    """

    def __init__(self, simulation: settings.Simulation) -> None:
        carries = simulation.echo and simulation.directory is not None
        self._path = Path(simulation.directory or "", FIFO) if carries else None
        self._fifo: int | None = None
        self._sounding: list[tuple[int, bytes]] = []

    def open(self) -> None:
        """Take hold of it."""
        if self._path is None:
            return
        with contextlib.suppress(FileExistsError):
            os.mkfifo(self._path)
        # Opened for both ways, so that neither end waits for the other.
        self._fifo = os.open(self._path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def play(self, sound: bytes, first_frame: int) -> None:
        """Let it sound from then on; it is lost when nobody listens."""
        if self._fifo is None:
            return
        for at in range(0, len(sound), PIECE_BYTES):
            piece = sound[at : at + PIECE_BYTES]
            if any(piece):
                head = HEAD.pack(first_frame + at // FRAME_BYTES, len(piece))
                with contextlib.suppress(BlockingIOError):
                    os.write(self._fifo, head + piece)

    def hear(self, period: bytes, first_frame: int) -> bytes:
        """The period, recorded from then on, with what sounded in the room mixed in."""
        if self._fifo is None:
            return period
        self._gather(self._fifo)
        sounding = bytearray(len(period))
        for frame, sound in self._sounding:
            lay(sounding, sound, (frame - first_frame) * FRAME_BYTES)
        end = first_frame + len(period) // FRAME_BYTES
        self._sounding = [one for one in self._sounding if one[0] + PIECE_BYTES > end]
        if not any(sounding):
            return period
        pairs = zip(samples.to_numbers(period), samples.to_numbers(bytes(sounding)), strict=True)
        return samples.to_bytes(own + LOSS * other for own, other in pairs)

    def _gather(self, fifo: int) -> None:
        try:
            content = os.read(fifo, PIPE_BYTES)
        except BlockingIOError:
            return
        at = 0
        while at < len(content):
            frame, size = HEAD.unpack_from(content, at)
            at += HEAD.size + size
            self._sounding.append((frame, content[at - size : at]))

    def close(self) -> None:
        """Let go; may be called twice."""
        self._sounding.clear()
        if self._fifo is not None:
            os.close(self._fifo)
            self._fifo = None


def lay(below: bytearray, piece: bytes, at: int) -> None:
    """Put what fits of the piece into these bytes; `at` is where it begins, and may be before them."""
    first, last = max(0, at), min(len(below), at + len(piece))
    if first < last:
        below[first:last] = piece[first - at : last - at]
