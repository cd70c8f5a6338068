"""A simulated camera: a test picture or a looped video file, encoded live, that can be broken.

Picture n is captured when the monotonic clock reads n / framerate, and the pattern shows n: whoever
decodes the picture on this machine knows its delay and which ones were lost.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent import settings
from agent.core.model.documents import DeviceStatus
from agent.devices.camera.pattern import Pattern
from agent.devices.camera.source import SourceFormat
from agent.devices.simulation import FaultFolder
from agent.errors import DeviceError

if TYPE_CHECKING:
    import av

    from agent.devices.camera.streaming import StreamingCamera

WAIT_SECONDS = 0.2
"""The longest that `read` waits, and how often a stalled camera looks up."""

SLOW_EVERY = 6
"""A slow camera delivers one picture of so many."""


def create(wanted: settings.Camera, simulation: settings.Simulation) -> StreamingCamera:
    """The port `Camera`."""
    from agent.devices.camera.streaming import StreamingCamera  # not for who only looks

    source = SimulatedPictures(wanted, FaultFolder("camera", simulation.directory))
    return StreamingCamera(source, wanted.bitrate, required=wanted.required, hardware=False)


def probe(wanted: settings.Camera, simulation: settings.Simulation) -> DeviceStatus:
    """Whether the simulated camera is plugged in now."""
    return FaultFolder("camera", simulation.directory).presence(required=wanted.required)


class SimulatedPictures:
    """The pictures of a simulated camera, in real time."""

    def __init__(self, wanted: settings.Camera, faults: FaultFolder) -> None:
        self._wanted = wanted
        self._faults = faults
        self._pattern = Pattern(wanted.pattern, wanted.width, wanted.height)
        self._film: Film | None = None
        self._frozen: av.VideoFrame | None = None
        self._next = 0

    def open(self) -> SourceFormat:
        """Raises DeviceAbsent, DeviceBusy, DeviceError (no such video file)."""
        wanted = self._wanted
        self._faults.open()
        self._film = Film(wanted.source, wanted.width, wanted.height) if wanted.source else None
        self._next = int(time.monotonic() * wanted.framerate) + 1
        picture = "file" if wanted.source else "pattern"
        return SourceFormat(wanted.width, wanted.height, wanted.framerate, picture)

    def read(self) -> tuple[av.VideoFrame, float] | None:
        """The next picture at its time, as the fault of the moment lets it be."""
        self._faults.raise_absent()
        fault = self._faults.fault()
        if fault == "stalled":
            time.sleep(WAIT_SECONDS)
            return None
        number = self._await_picture(SLOW_EVERY if fault == "slow" else 1)
        picture = self._picture(number, fault)
        self._frozen = picture if fault == "frozen" else None
        return picture, number / self._wanted.framerate

    def close(self) -> None:
        """Close the file; may be called twice."""
        self._film = None
        self._faults.close()

    def _await_picture(self, step: int) -> int:
        """Sleep until the next picture's time; pictures that are late already are left out."""
        framerate = self._wanted.framerate
        number = max(self._next + step - 1, int(time.monotonic() * framerate))
        self._next = number + 1
        time.sleep(max(0.0, number / framerate - time.monotonic()))
        return number

    def _picture(self, number: int, fault: str) -> av.VideoFrame:
        if fault == "black":
            return self._pattern.black()
        if fault == "frozen" and self._frozen is not None:
            return self._frozen
        if self._film is not None:
            return self._film.at(number / self._wanted.framerate)
        return self._pattern.draw(number)


class Film:
    """A video file played in a loop at its own speed, in the size asked for."""

    def __init__(self, path: str, width: int, height: int) -> None:
        self._path = path
        self._size = width, height
        self._start: float | None = None
        self._pictures = self._decode()
        self._shown = self._take()
        self._coming = self._shown

    def at(self, seconds: float) -> av.VideoFrame:
        """The picture to be seen at this instant; instants must not go back."""
        if self._start is None:
            self._start = seconds
        while self._coming[0] <= seconds - self._start:
            self._shown, self._coming = self._coming, self._take()
        width, height = self._size
        return self._shown[1].reformat(width, height, "yuv420p")

    def _take(self) -> tuple[float, av.VideoFrame]:
        try:
            return next(self._pictures)
        except StopIteration:
            raise DeviceError("bad-source", f"Camera: {self._path} holds no picture") from None

    def _decode(self) -> Iterator[tuple[float, av.VideoFrame]]:
        """Seconds since the start and picture, over and over."""
        import av

        played = 0.0
        while True:
            at = None
            try:
                with av.open(self._path) as file:
                    rate = float(file.streams.video[0].average_rate or 25)
                    for index, picture in enumerate(file.decode(video=0)):
                        at = index / rate
                        yield played + at, picture
            except (av.FFmpegError, IndexError, OSError) as error:
                raise DeviceError(
                    "bad-source", f"Camera: cannot play {self._path}: {error}"
                ) from error
            if at is None:
                return
            played += at + 1 / rate
