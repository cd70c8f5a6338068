"""What a graphics card sends to its screen: the frame buffer of its lit plane, read back.

Asked of the kernel's DRM directly, since FFmpeg's kmsgrab does not know YU12, the format that
GStreamer's kmssink prefers. The structures are those of linux/drm_mode.h.
"""

from __future__ import annotations

import array
import fcntl
import mmap
import os
import struct
from pathlib import Path
from typing import NamedTuple

from PIL import Image

UNIVERSAL_PLANES = 2
SET_CLIENT_CAPABILITY = ("=QQ", 0x0D)
GET_PLANE_RESOURCES = ("=QI4x", 0xB5)
GET_PLANE = ("=6IQ", 0xB6)
GET_FRAME_BUFFER = ("=5I4I4I4I4x4Q", 0xCE)
MAP_BUFFER = ("=IIQ", 0xB3)
CLOSE_BUFFER = ("=II", 0x09)


class FrameBuffer(NamedTuple):
    """A picture in the card's memory; `handles` are ours, one for each colour plane."""

    width: int
    height: int
    fourcc: str
    handles: tuple[int, ...]
    pitches: tuple[int, ...]
    offsets: tuple[int, ...]


class Card:
    """A graphics card as its superuser sees it, beside whoever draws on it."""

    def __init__(self, node: Path) -> None:
        self._descriptor = os.open(node, os.O_RDWR | os.O_CLOEXEC)
        self._ask(SET_CLIENT_CAPABILITY, UNIVERSAL_PLANES, 1)

    def __enter__(self) -> Card:
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self._descriptor)

    def _ask(self, request: tuple[str, int], *fields: int) -> tuple[int, ...]:
        layout, number = request
        asked = bytearray(struct.pack(layout, *fields))
        read_and_write = 1 << 30 if number in (0x09, 0x0D) else 3 << 30
        code = read_and_write | len(asked) << 16 | ord("d") << 8 | number
        fcntl.ioctl(self._descriptor, code, asked)
        return struct.unpack(layout, asked)

    def _planes(self) -> list[int]:
        _, count = self._ask(GET_PLANE_RESOURCES, 0, 0)
        ids = array.array("I", [0] * count)
        self._ask(GET_PLANE_RESOURCES, ids.buffer_info()[0], count)
        return ids.tolist()

    def frame_buffer(self) -> FrameBuffer | None:
        """That of the first plane that is lit; None for a dark screen."""
        for plane in self._planes():
            _, crtc, picture, *_ = self._ask(GET_PLANE, plane, 0, 0, 0, 0, 0, 0)
            if crtc and picture:
                _, width, height, fourcc, _, *rest = self._ask(GET_FRAME_BUFFER, picture, *[0] * 20)
                name = struct.pack("=I", fourcc).decode("ascii")
                planes = (tuple(rest[0:4]), tuple(rest[4:8]), tuple(rest[8:12]))
                return FrameBuffer(width, height, name, *planes)
        return None

    def bytes_of(self, handle: int, count: int) -> bytes:
        *_, offset = self._ask(MAP_BUFFER, handle, 0, 0)
        with mmap.mmap(self._descriptor, count, offset=offset, prot=mmap.PROT_READ) as memory:
            return bytes(memory)

    def close_buffers(self, handles: set[int]) -> None:
        for handle in handles - {0}:
            self._ask(CLOSE_BUFFER, handle, 0)


def picture_on(card: Card) -> Image.Image | None:
    """What people see on this card's screen now, or None."""
    shown = card.frame_buffer()
    if shown is None:
        return None
    try:
        return decoded(shown, card)
    finally:
        card.close_buffers(set(shown.handles))


def decoded(shown: FrameBuffer, card: Card) -> Image.Image:
    if shown.fourcc == "XR24":
        return Image.frombytes("RGB", *_samples(shown, card, 0, 1), "raw", "BGRX", shown.pitches[0])
    assert shown.fourcc == "YU12", f"cannot decode {shown}"
    size = shown.width, shown.height
    planes = [
        Image.frombytes("L", *_samples(shown, card, index, part), "raw", "L", shown.pitches[index])
        for index, part in enumerate((1, 2, 2))
    ]
    # video range to full range (ITU-R BT.601)
    luma = planes[0].point(lambda value: (value - 16) * 255 / 219)
    chroma = [
        plane.point(lambda value: 128 + (value - 128) * 255 / 224).resize(size)
        for plane in planes[1:]
    ]
    return Image.merge("YCbCr", [luma, *chroma]).convert("RGB")


def _samples(
    shown: FrameBuffer, card: Card, index: int, part: int
) -> tuple[tuple[int, int], bytes]:
    """Size and memory of one colour plane, which has 1/`part` of the lines and columns."""
    size = shown.width // part, shown.height // part
    end = shown.offsets[index] + shown.pitches[index] * size[1]
    return size, card.bytes_of(shown.handles[index], end)[shown.offsets[index] :]
