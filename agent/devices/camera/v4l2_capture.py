"""A Video4Linux2 capture device: open it, take its pictures with a deadline.

FFmpeg's own v4l2 input blocks in the kernel when a camera stalls, and then holds the device until
the process ends; this one polls.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import select
import time

from msgspec import Struct

from agent.devices.camera import v4l2_structures as v4l2
from agent.devices.camera.v4l2_nodes import Node
from agent.errors import DeviceAbsent, DeviceBusy, DeviceError

BUFFERS = 4


class CaptureFormat(Struct, frozen=True):
    """What the device really delivers. `pixels` is its FourCC, such as MJPG or YUYV."""

    width: int
    height: int
    framerate: float
    pixels: str
    bytes_per_line: int
    full_range: bool = False
    """Whether black is 0 and white 255, as in every MJPEG, instead of 16 and 235."""


class Capture:
    """An open device that streams. The constructor raises DeviceAbsent, DeviceBusy, DeviceError.

    `preferred` lists FourCCs, best first; size and rate become what the device can do.
    """

    def __init__(
        self, node: Node, preferred: tuple[str, ...], width: int, height: int, framerate: float
    ) -> None:
        self._node = node
        self._maps: list[mmap.mmap] = []
        try:
            self._descriptor = os.open(node.path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self._explain(error) from error
        try:
            self.format = self._configure(preferred, width, height, framerate)
            self._map_buffers()
            fcntl.ioctl(self._descriptor, v4l2.STREAMON, v4l2.CAPTURE.to_bytes(4, "little"))
        except OSError as error:
            self.close()
            raise self._explain(error) from error
        except DeviceError:
            self.close()
            raise
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def read(self, seconds: float) -> tuple[bytes, float] | None:
        """The next picture's bytes and its capture time (monotonic); None if none came in time.

        Raises DeviceAbsent when the camera has gone.
        """
        if not self._poll.poll(seconds * 1000):
            return None
        buffer = v4l2.Buffer(type=v4l2.CAPTURE, memory=v4l2.MEMORY_MMAP)
        try:
            fcntl.ioctl(self._descriptor, v4l2.DQBUF, buffer)
            picture = self._maps[buffer.index][: buffer.bytesused]
            flags, captured = buffer.flags, buffer.seconds + buffer.microseconds / 1e6
            fcntl.ioctl(self._descriptor, v4l2.QBUF, buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._explain(error) from error
        if flags & v4l2.FLAG_ERROR or not picture:
            return None
        return picture, captured if flags & v4l2.FLAG_MONOTONIC else time.monotonic()

    def close(self) -> None:
        """Closing also ends the stream; may be called twice."""
        for mapped in self._maps:
            mapped.close()
        self._maps = []
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = -1

    def _configure(
        self, preferred: tuple[str, ...], width: int, height: int, framerate: float
    ) -> CaptureFormat:
        offered = self._offered()
        pixels = next((fourcc for fourcc in preferred if fourcc in offered), None)
        if pixels is None:
            text = f"Camera: '{self._node.card}' offers {', '.join(offered)}, none of {', '.join(preferred)}"
            raise DeviceError("wrong-format", text)
        form = v4l2.Format(
            type=v4l2.CAPTURE, width=width, height=height, pixelformat=pixels.encode()
        )
        fcntl.ioctl(self._descriptor, v4l2.S_FMT, form)
        rate = v4l2.Parameters(
            type=v4l2.CAPTURE, numerator=1000, denominator=round(framerate * 1000)
        )
        fcntl.ioctl(self._descriptor, v4l2.S_PARM, rate)
        given = rate.denominator / rate.numerator if rate.numerator else framerate
        full_range = pixels == "MJPG" or form.quantization == v4l2.FULL_RANGE
        return CaptureFormat(form.width, form.height, given, pixels, form.bytesperline, full_range)

    def _offered(self) -> list[str]:
        offered: list[str] = []
        while True:
            description = v4l2.Description(index=len(offered), type=v4l2.CAPTURE)
            try:
                fcntl.ioctl(self._descriptor, v4l2.ENUM_FMT, description)
            except OSError as error:
                if error.errno == errno.EINVAL:
                    return offered
                raise
            offered.append(description.pixelformat.decode("ascii", "replace"))

    def _map_buffers(self) -> None:
        request = v4l2.Buffers(count=BUFFERS, type=v4l2.CAPTURE, memory=v4l2.MEMORY_MMAP)
        fcntl.ioctl(self._descriptor, v4l2.REQBUFS, request)
        for index in range(request.count):
            buffer = v4l2.Buffer(index=index, type=v4l2.CAPTURE, memory=v4l2.MEMORY_MMAP)
            fcntl.ioctl(self._descriptor, v4l2.QUERYBUF, buffer)
            self._maps.append(
                mmap.mmap(self._descriptor, buffer.length, offset=buffer.offset & 0xFFFFFFFF)
            )
            fcntl.ioctl(self._descriptor, v4l2.QBUF, buffer)

    def _explain(self, error: OSError) -> DeviceError:
        about = f"Camera: '{self._node.card}'"
        if error.errno in (errno.ENODEV, errno.ENOENT, errno.ENXIO):
            return DeviceAbsent("absent", f"{about} is not there; check its USB cable")
        if error.errno == errno.EBUSY:
            text = f"{about} is held by another program; see fuser -v {self._node.path}"
            return DeviceBusy("busy", text)
        if error.errno == errno.EACCES:
            text = f"{about}: not allowed; add the agent's user to group video"
            return DeviceError("not-allowed", text)
        return DeviceError("failed", f"{about}: {error.strerror}")
