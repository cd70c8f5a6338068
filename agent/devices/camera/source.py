"""Where a camera's raw pictures come from: what v4l2.py, picamera2.py and simulated.py are to streaming.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    import av


class SourceFormat(Struct, frozen=True):
    """What a source was really opened with; `picture` names its pixel or file format."""

    width: int
    height: int
    framerate: float
    picture: str


class PictureSource(Protocol):
    """Where raw pictures come from. Used by one thread at a time."""

    def open(self) -> SourceFormat:
        """Raises DeviceAbsent, DeviceBusy, DeviceTimeout, DeviceError."""
        ...

    def read(self) -> tuple[av.VideoFrame, float] | None:
        """The next yuv420p picture and its capture time (monotonic seconds).

        None when none came for 200 ms. Raises DeviceAbsent when the camera has gone.
        """
        ...

    def close(self) -> None:
        """May be called twice; does not raise."""
        ...
