"""A Video4Linux2 capture device: open it, take its pictures with a deadline.

FFmpeg's own v4l2 input blocks in the kernel when a camera stalls, and then holds the device until
the process ends; this one polls. Structures and numbers are those of <linux/videodev2.h>, 64 bit.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import select
import time
from typing import Any, ClassVar

from msgspec import Struct

from agent.devices.camera.v4l2_nodes import Node
from agent.errors import DeviceAbsent, DeviceBusy, DeviceError

BUFFERS = 4

_CAPTURE = 1  # V4L2_BUF_TYPE_VIDEO_CAPTURE
_MMAP = 1  # V4L2_MEMORY_MMAP
_FLAG_ERROR = 0x40
_FLAG_MONOTONIC = 0x2000

_S_FMT = 0xC0D05605
_S_PARM = 0xC0CC5616
_REQBUFS = 0xC0145608
_QUERYBUF = 0xC0585609
_QBUF = 0xC058560F
_DQBUF = 0xC0585611
_ENUM_FMT = 0xC0405602
_STREAMON = 0x40045612

_Fields = list[tuple[str, Any]]


class _Description(ctypes.Structure):
    _fields_: ClassVar[_Fields] = [
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", ctypes.c_char * 4),
        ("reserved", ctypes.c_uint32 * 4),
    ]


class _Format(ctypes.Structure):
    _fields_: ClassVar[_Fields] = [
        ("type", ctypes.c_uint64),  # 32 bits, then padding
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("pixelformat", ctypes.c_char * 4),
        ("field", ctypes.c_uint32),
        ("bytesperline", ctypes.c_uint32),
        ("sizeimage", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 176),
    ]


class _Parameters(ctypes.Structure):
    _fields_: ClassVar[_Fields] = [
        ("type", ctypes.c_uint32),
        ("capability", ctypes.c_uint32),
        ("capturemode", ctypes.c_uint32),
        ("numerator", ctypes.c_uint32),
        ("denominator", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 184),
    ]


class _Buffers(ctypes.Structure):
    _fields_: ClassVar[_Fields] = [
        ("count", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 2),
    ]


class _Buffer(ctypes.Structure):
    _fields_: ClassVar[_Fields] = [
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("bytesused", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("field", ctypes.c_uint64),  # 32 bits, then padding
        ("seconds", ctypes.c_int64),
        ("microseconds", ctypes.c_int64),
        ("timecode", ctypes.c_uint8 * 16),
        ("sequence", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("offset", ctypes.c_uint64),  # a union with pointers
        ("length", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    ]


class CaptureFormat(Struct, frozen=True):
    """What the device really delivers. `pixels` is its FourCC, such as MJPG or YUYV."""

    width: int
    height: int
    framerate: float
    pixels: str
    bytes_per_line: int


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
            fcntl.ioctl(self._descriptor, _STREAMON, _CAPTURE.to_bytes(4, "little"))
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
        buffer = _Buffer(type=_CAPTURE, memory=_MMAP)
        try:
            fcntl.ioctl(self._descriptor, _DQBUF, buffer)
            picture = self._maps[buffer.index][: buffer.bytesused]
            flags, captured = buffer.flags, buffer.seconds + buffer.microseconds / 1e6
            fcntl.ioctl(self._descriptor, _QBUF, buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._explain(error) from error
        if flags & _FLAG_ERROR or not picture:
            return None
        return picture, captured if flags & _FLAG_MONOTONIC else time.monotonic()

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
        form = _Format(type=_CAPTURE, width=width, height=height, pixelformat=pixels.encode())
        fcntl.ioctl(self._descriptor, _S_FMT, form)
        rate = _Parameters(type=_CAPTURE, numerator=1000, denominator=round(framerate * 1000))
        fcntl.ioctl(self._descriptor, _S_PARM, rate)
        given = rate.denominator / rate.numerator if rate.numerator else framerate
        return CaptureFormat(form.width, form.height, given, pixels, form.bytesperline)

    def _offered(self) -> list[str]:
        offered: list[str] = []
        while True:
            description = _Description(index=len(offered), type=_CAPTURE)
            try:
                fcntl.ioctl(self._descriptor, _ENUM_FMT, description)
            except OSError as error:
                if error.errno == errno.EINVAL:
                    return offered
                raise
            offered.append(description.pixelformat.decode("ascii", "replace"))

    def _map_buffers(self) -> None:
        request = _Buffers(count=BUFFERS, type=_CAPTURE, memory=_MMAP)
        fcntl.ioctl(self._descriptor, _REQBUFS, request)
        for index in range(request.count):
            buffer = _Buffer(index=index, type=_CAPTURE, memory=_MMAP)
            fcntl.ioctl(self._descriptor, _QUERYBUF, buffer)
            self._maps.append(
                mmap.mmap(self._descriptor, buffer.length, offset=buffer.offset & 0xFFFFFFFF)
            )
            fcntl.ioctl(self._descriptor, _QBUF, buffer)

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
