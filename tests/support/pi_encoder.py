"""A Pi's H.264 encoder as the kernel's driver shows it (bcm2835-codec), with libx264 behind it.

It is as particular as the driver: lines and heights are padded, controls have ranges, buffers belong
to one side at a time, timestamps are copied. It follows the driver's source and the kernel's page on
stateful encoders; only a Pi shows whether the firmware agrees.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from agent.devices.camera import v4l2_structures as v4l2
from agent.devices.camera.annexb import nal_units

STRIDE_ALIGNMENT, HEIGHT_ALIGNMENT = 64, 16
INPUT, OUTPUT = v4l2.OUTPUT_MULTIPLANAR, v4l2.CAPTURE_MULTIPLANAR
DESCRIPTOR = 99
BITRATES = range(25_000, 25_000_001)


class PiEncoder:
    """The port `Kernel`. `apart`: parameter sets come once, in a buffer of their own, unflagged."""

    def __init__(
        self,
        *,
        apart: bool = False,
        without_sets: bool = False,
        hangs_after: int | None = None,
        refuses: frozenset[int] = frozenset(),
        refuses_later: frozenset[int] = frozenset(),
        broken_at: int | None = None,
    ) -> None:
        """`refuses_later`: controls that can't be changed while it streams. `broken_at`: the number of a picture that
        the firmware gives back with an error, as an empty buffer."""
        self.controls: dict[int, int] = {}
        self.history: list[tuple[int, int]] = []
        self.closed = False
        self.opened = 0
        self._apart = apart
        self._without_sets = without_sets
        self._hangs_after = hangs_after
        self._refuses = refuses
        self._refuses_later = refuses_later
        self._broken_at = broken_at
        self._formats: dict[int, v4l2.MultiplanarFormat] = {}
        self._memory: dict[int, list[mmap.mmap]] = {}
        self._times: dict[int, tuple[int, int]] = {}
        self._queued: dict[int, list[int]] = {INPUT: [], OUTPUT: []}
        self._done: list[tuple[int, tuple[int, int]]] = []
        """Input buffers that have been read."""
        self._packets: list[tuple[bytes, tuple[int, int]]] = []
        self._streams: set[int] = set()
        self._pictures = 0
        self._context: Any = None

    # --- system calls

    def open(self, path: Path) -> int:
        if self.opened and not self.closed:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self.opened, self.closed = self.opened + 1, False
        return DESCRIPTOR

    def close(self, descriptor: int) -> None:
        assert descriptor == DESCRIPTOR
        self.closed = True

    def map(self, descriptor: int, length: int, offset: int) -> Any:
        kind, index = divmod(offset, 1 << 20)
        memory = self._memory[INPUT if kind == 1 else OUTPUT][index >> 12]
        assert length == len(memory)
        return memory

    def poll(self, descriptor: int, events: int, seconds: float) -> int:
        self._work()
        return events if self._packets else 0

    def ioctl(self, descriptor: int, request: int, argument: Any) -> None:
        assert descriptor == DESCRIPTOR
        assert not self.closed
        calls = {
            v4l2.S_CTRL: self._control,
            v4l2.S_FMT: self._format,
            v4l2.S_PARM: lambda parameters: None,
            v4l2.REQBUFS: self._request,
            v4l2.QUERYBUF: self._query,
            v4l2.QBUF: self._queue,
            v4l2.DQBUF: self._dequeue,
            v4l2.STREAMON: lambda kind: self._streams.add(kind.value),
        }
        calls[request](argument)

    # --- what they do

    def _control(self, control: v4l2.Control) -> None:
        if control.id in self._refuses or (self._streams and control.id in self._refuses_later):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if control.id == v4l2.BITRATE and control.value not in BITRATES:
            raise OSError(errno.ERANGE, os.strerror(errno.ERANGE))
        if control.id in (v4l2.H264_PROFILE, v4l2.H264_LEVEL) and self._streams:
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        self.controls[control.id] = control.value
        self.history.append((control.id, control.value))

    def _format(self, form: v4l2.MultiplanarFormat) -> None:
        plane = form.planes[0]
        if form.type == INPUT:
            form.height = -(-form.height // HEIGHT_ALIGNMENT) * HEIGHT_ALIGNMENT
            plane.bytesperline = -(-form.width // STRIDE_ALIGNMENT) * STRIDE_ALIGNMENT
            plane.sizeimage = plane.bytesperline * form.height * 3 // 2
        else:
            plane.bytesperline = 0
            plane.sizeimage = max(plane.sizeimage, 128 << 10)
        kept = v4l2.MultiplanarFormat()
        ctypes.memmove(ctypes.byref(kept), ctypes.byref(form), ctypes.sizeof(form))
        self._formats[form.type] = kept

    def _request(self, request: v4l2.Buffers) -> None:
        size = self._formats[request.type].planes[0].sizeimage
        self._memory[request.type] = [mmap.mmap(-1, size) for _ in range(request.count)]

    def _query(self, buffer: v4l2.Buffer) -> None:
        plane = v4l2.Plane.from_address(buffer.offset)
        plane.length = len(self._memory[buffer.type][buffer.index])
        plane.offset = ((1 if buffer.type == INPUT else 2) << 20) + (buffer.index << 12)

    def _queue(self, buffer: v4l2.Buffer) -> None:
        held = [index for index, _ in self._done] if buffer.type == INPUT else []
        if buffer.index in self._queued[buffer.type] or buffer.index in held:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        if buffer.type == INPUT:
            plane = v4l2.Plane.from_address(buffer.offset)
            assert plane.bytesused == self._formats[INPUT].planes[0].sizeimage
            self._times[buffer.index] = (buffer.seconds, buffer.microseconds)
        self._queued[buffer.type].append(buffer.index)

    def _dequeue(self, buffer: v4l2.Buffer) -> None:
        self._work()
        plane = v4l2.Plane.from_address(buffer.offset)
        if buffer.type == INPUT and self._done:
            buffer.index, (buffer.seconds, buffer.microseconds) = self._done.pop(0)
        elif buffer.type == OUTPUT and self._packets and self._queued[OUTPUT]:
            data, (buffer.seconds, buffer.microseconds) = self._packets.pop(0)
            buffer.index = self._queued[OUTPUT].pop(0)
            self._memory[OUTPUT][buffer.index][: len(data)] = data
            plane.bytesused = len(data)
        else:
            raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    # --- the firmware

    def _work(self) -> None:
        if self._streams < {INPUT, OUTPUT}:
            return
        while self._queued[INPUT]:
            if self._hangs_after is not None and self._pictures >= self._hangs_after:
                return
            self._pictures += 1
            index = self._queued[INPUT].pop(0)
            broken = self._pictures == self._broken_at
            for data in self._encode(self._memory[INPUT][index]):
                self._packets.append((b"" if broken else data, self._times[index]))
            self._done.append((index, self._times[index]))

    def _encode(self, memory: mmap.mmap) -> list[bytes]:
        form = self._formats[INPUT]
        width, height, stride = form.width, form.height, form.planes[0].bytesperline
        picture = av.VideoFrame(width, height, "yuv420p")
        at = 0
        for plane, part in zip(picture.planes, (1, 2, 2), strict=True):
            lines = (
                memory[at + line * stride // part :][: width // part].ljust(plane.line_size)
                for line in range(height // part)
            )
            plane.update(b"".join(map(bytes, lines)))
            at += stride // part * (height // part)
        picture.pts, picture.time_base = self._pictures, Fraction(1, 30)
        force = self.controls.pop(v4l2.FORCE_KEY_FRAME, 0)
        picture.pict_type = av.video.frame.PictureType(1 if force else 0)
        self._context = self._context or self._make_context(width, height)
        self._context.bit_rate = self.controls[v4l2.BITRATE]
        return [part for packet in self._context.encode(picture) for part in self._cut(packet)]

    def _make_context(self, width: int, height: int) -> Any:
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = width, height, "yuv420p"
        context.time_base, context.framerate = Fraction(1, 30), Fraction(30)
        context.bit_rate, context.gop_size, context.thread_count = 1_000_000, 300, 1
        rate = {"maxrate": "2000000", "bufsize": "600000", "forced-idr": "1"}
        context.options = {"preset": "ultrafast", "tune": "zerolatency", **rate}
        return context

    def _cut(self, packet: Any) -> list[bytes]:
        """As header mode and repetition were asked for, or never repeated, if it keeps them `apart`."""
        data = bytes(packet)
        if not packet.is_keyframe:
            return [data]
        first = next(at for at, kind in nal_units(data) if kind in (5, 6))
        if self._without_sets:
            return [data[first:]]
        if self._apart:
            return [data[:first], data[first:]] if self._pictures == 1 else [data[first:]]
        return [data]
