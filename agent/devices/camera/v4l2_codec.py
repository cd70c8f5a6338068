"""An open codec of Video4Linux2 (memory to memory): raw pictures go in, H.264 comes out.

Written against the kernel's own documentation of stateful encoders and what bcm2835-codec, the
driver of a Pi up to the 4, makes of it. Nothing in here waits without a limit.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import mmap
import os
import select
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from agent.devices.camera import v4l2_structures as v4l2
from agent.errors import DeviceError

INPUT_BUFFERS, OUTPUT_BUFFERS = 3, 4
OUTPUT_BYTES = 512 << 10
"""The largest picture that can come out; a keyframe of 720p at 1.5 Mbit/s has some 60 kB."""


class Kernel(Protocol):
    """The system calls that a codec needs. Each may raise OSError."""

    def open(self, path: Path) -> int: ...
    def ioctl(self, descriptor: int, request: int, argument: Any) -> None: ...
    def map(self, descriptor: int, length: int, offset: int) -> Any: ...
    def poll(self, descriptor: int, events: int, seconds: float) -> int: ...
    def close(self, descriptor: int) -> None: ...


class SystemKernel:
    """This machine's own."""

    def open(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def ioctl(self, descriptor: int, request: int, argument: Any) -> None:
        fcntl.ioctl(descriptor, request, argument)

    def map(self, descriptor: int, length: int, offset: int) -> mmap.mmap:
        return mmap.mmap(descriptor, length, offset=offset)

    def poll(self, descriptor: int, events: int, seconds: float) -> int:
        waiting = select.poll()
        waiting.register(descriptor, events)
        return next((found for _, found in waiting.poll(seconds * 1000)), 0)

    def close(self, descriptor: int) -> None:
        os.close(descriptor)


class RawShape(NamedTuple):
    """How a picture lies in an input buffer: three planes after each other, the chroma at half the
    stride and half the height.
    """

    stride: int
    height: int


class Coded(NamedTuple):
    """What came out, and the timestamp of the picture that it was made of."""

    data: bytes
    microseconds: int


class CodecDevice:
    """Configured and streaming. The constructor raises DeviceError; so do all calls of a codec that fails."""

    def __init__(
        self, path: Path, kernel: Kernel, size: tuple[int, int], framerate: float, name: str
    ) -> None:
        """`size` is width and height; `name` is the codec's, for messages."""
        self._kernel = kernel
        self._name = name
        self._maps: dict[int, list[Any]] = {}
        try:
            self._descriptor = kernel.open(path)
        except OSError as error:
            raise self._explain(error) from error
        try:
            self.shape = self._configure(*size, framerate)
        except OSError as error:
            self.close()
            raise self._explain(error) from error
        self._free = list(range(len(self._maps[v4l2.OUTPUT_MULTIPLANAR])))

    def control(self, number: int, value: int) -> bool:
        """Set a control, also while it streams. False if the codec does not have it or not so."""
        try:
            self._kernel.ioctl(self._descriptor, v4l2.S_CTRL, v4l2.Control(number, value))
        except OSError:
            return False
        return True

    def stream(self) -> None:
        """Begin; controls that cannot change later have been set."""
        try:
            for index in range(len(self._maps[v4l2.CAPTURE_MULTIPLANAR])):
                self._queue(v4l2.CAPTURE_MULTIPLANAR, index)
            for kind in (v4l2.OUTPUT_MULTIPLANAR, v4l2.CAPTURE_MULTIPLANAR):
                self._kernel.ioctl(self._descriptor, v4l2.STREAMON, ctypes.c_uint32(kind))
        except OSError as error:
            raise self._explain(error) from error

    def input(self) -> tuple[int, Any] | None:
        """The number and the memory of a free input buffer; None if the codec holds all of them."""
        while done := self._dequeue(v4l2.OUTPUT_MULTIPLANAR):
            self._free.append(done[0].index)
        if not self._free:
            return None
        index = self._free.pop()
        return index, self._maps[v4l2.OUTPUT_MULTIPLANAR][index]

    def submit(self, index: int, length: int, microseconds: int) -> None:
        """Give the codec the input buffer with a picture of `length` bytes."""
        try:
            self._queue(v4l2.OUTPUT_MULTIPLANAR, index, length, microseconds)
        except OSError as error:
            raise self._explain(error) from error

    def output(self, seconds: float) -> Coded | None:
        """The next packet, waited for so long at the most."""
        try:
            self._kernel.poll(self._descriptor, select.POLLIN, seconds)
            done = self._dequeue(v4l2.CAPTURE_MULTIPLANAR)
            if done is None:
                return None
            buffer, plane = done
            begin = plane.data_offset
            memory = self._maps[v4l2.CAPTURE_MULTIPLANAR][buffer.index]
            data = bytes(memory[begin : begin + plane.bytesused])
            self._queue(v4l2.CAPTURE_MULTIPLANAR, buffer.index)
        except OSError as error:
            raise self._explain(error) from error
        return Coded(data, buffer.seconds * 1_000_000 + buffer.microseconds)

    def close(self) -> None:
        """May be called twice; closing ends the stream and frees what the kernel had for it."""
        for memory in (memory for maps in self._maps.values() for memory in maps):
            with contextlib.suppress(BufferError):
                memory.close()
        self._maps = {}
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            self._kernel.close(descriptor)

    def _configure(self, width: int, height: int, framerate: float) -> RawShape:
        raw = self._set_format(v4l2.OUTPUT_MULTIPLANAR, b"YU12", width, height, 0)
        self._set_format(v4l2.CAPTURE_MULTIPLANAR, b"H264", width, height, OUTPUT_BYTES)
        rate = v4l2.Parameters(
            type=v4l2.OUTPUT_MULTIPLANAR, numerator=1000, denominator=round(framerate * 1000)
        )
        self._kernel.ioctl(self._descriptor, v4l2.S_PARM, rate)
        self._map(v4l2.OUTPUT_MULTIPLANAR, INPUT_BUFFERS)
        self._map(v4l2.CAPTURE_MULTIPLANAR, OUTPUT_BUFFERS)
        return RawShape(raw.planes[0].bytesperline, raw.height)

    def _set_format(
        self, kind: int, pixels: bytes, width: int, height: int, size: int
    ) -> v4l2.MultiplanarFormat:
        form = v4l2.MultiplanarFormat(
            type=kind, width=width, height=height, pixelformat=pixels, field=1, num_planes=1
        )
        form.planes[0].sizeimage = size
        self._kernel.ioctl(self._descriptor, v4l2.S_FMT, form)
        if form.pixelformat != pixels or form.width < width or form.height < height:
            raise OSError(errno.EINVAL, f"takes no {width}x{height} {pixels.decode()}")
        return form

    def _map(self, kind: int, count: int) -> None:
        request = v4l2.Buffers(count=count, type=kind, memory=v4l2.MEMORY_MMAP)
        self._kernel.ioctl(self._descriptor, v4l2.REQBUFS, request)
        self._maps[kind] = []
        for index in range(request.count):
            buffer, plane = _buffer(kind, index)
            self._kernel.ioctl(self._descriptor, v4l2.QUERYBUF, buffer)
            memory = self._kernel.map(self._descriptor, plane.length, plane.offset & 0xFFFFFFFF)
            self._maps[kind].append(memory)

    def _queue(self, kind: int, index: int, length: int = 0, microseconds: int = 0) -> None:
        buffer, plane = _buffer(kind, index)
        plane.bytesused = length
        plane.length = len(self._maps[kind][index])
        buffer.seconds, buffer.microseconds = divmod(microseconds, 1_000_000)
        self._kernel.ioctl(self._descriptor, v4l2.QBUF, buffer)

    def _dequeue(self, kind: int) -> tuple[v4l2.Buffer, v4l2.Plane] | None:
        buffer, plane = _buffer(kind, 0)
        try:
            self._kernel.ioctl(self._descriptor, v4l2.DQBUF, buffer)
        except OSError as error:
            if error.errno == errno.EAGAIN:
                return None
            raise self._explain(error) from error
        return buffer, plane

    def _explain(self, error: OSError) -> DeviceError:
        return DeviceError("encoder", f"Camera: H.264 encoder {self._name}: {error.strerror}")


def _buffer(kind: int, index: int) -> tuple[v4l2.Buffer, v4l2.Plane]:
    """A buffer of one plane. The plane must be kept as long as the buffer: it is pointed to."""
    plane = v4l2.Plane()
    buffer = v4l2.Buffer(
        type=kind,
        memory=v4l2.MEMORY_MMAP,
        index=index,
        field=1,
        offset=ctypes.addressof(plane),
        length=1,
    )
    return buffer, plane
