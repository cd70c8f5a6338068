"""The machine's GPIO chips and lines, as the kernel describes them, without claiming any.

Chips go by label, since their numbers change between kernels (failure row 6). The structures are
those of <linux/gpio.h>, the GPIO character device's version 2.
"""

from __future__ import annotations

import fcntl
import os
import struct
from pathlib import Path

from msgspec import Struct

from agent.errors import DeviceAbsent, DeviceError

DEV = Path("/dev")

PI_LABELS = ("pinctrl-bcm2711", "pinctrl-rp1", "pinctrl-bcm2835")
"""The header's chip on a Pi 4, on a Pi 5, and on all before."""

_CHIP_INFO = struct.Struct("=32s32sI")
_LINE_INFO = struct.Struct("=32s32sIIQ160s16x")
_LINE_REQUEST = struct.Struct("=256s32sQ264xI4x20xi")
_LINE_VALUES = struct.Struct("=QQ")

_GET_CHIP_INFO = 0x8044B401
_GET_LINE_INFO = 0xC100B405
_GET_LINE = 0xC250B407
_GET_VALUES = 0xC010B40E

_AS_IS = 0
"""Line flags: neither input nor output, so that requesting the line changes nothing."""


class Chip(Struct, frozen=True):
    """A GPIO chip; `number` is N of /dev/gpiochipN."""

    number: int
    label: str
    lines: int


def chips(dev: Path = DEV) -> list[Chip]:
    """All chips that may be opened. Raises DeviceError when there are some and none may be."""
    found, refused = [], []
    for path in sorted(dev.glob("gpiochip*")):
        try:
            found.append(_describe(path))
        except PermissionError:
            refused.append(path)
        except OSError:
            continue  # not a GPIO chip, or gone meanwhile
    if refused and not found:
        text = f"not allowed to open {refused[0]}; add the agent's user to group gpio"
        raise DeviceError("not-allowed", text)
    return found


def find(label: str | None, name: str, dev: Path = DEV) -> Chip:
    """The chip with this label; None means a Pi's header. `name` is the device's, for messages.

    Raises DeviceAbsent, naming the chips that are there.
    """
    there = chips(dev)
    wanted = (label,) if label else PI_LABELS
    for chip in there:
        if chip.label in wanted:
            return chip
    found = ", ".join(chip.label for chip in there) or "none"
    text = f"{name}: no GPIO chip '{' or '.join(wanted)}' found (found: {found})"
    raise DeviceAbsent("absent", text)


def holder(chip: Chip, line: int, dev: Path = DEV) -> str:
    """Who holds the line now, as the kernel names it; empty when nobody does."""
    request = _LINE_INFO.pack(b"", b"", line, 0, 0, b"")
    answer = _ioctl(dev / f"gpiochip{chip.number}", _GET_LINE_INFO, request)
    _, consumer, _, _, flags, _ = _LINE_INFO.unpack(answer)
    return _text(consumer) or ("the kernel" if flags & 1 else "")


def level(chip: Chip, line: int, dev: Path = DEV) -> bool:
    """The line's level now, read without changing its direction: no blip on an output."""
    offsets = struct.pack("=I", line)
    request = _LINE_REQUEST.pack(offsets, b"diemcau", _AS_IS, 1, 0)
    answer = _ioctl(dev / f"gpiochip{chip.number}", _GET_LINE, request)
    descriptor = _LINE_REQUEST.unpack(answer)[-1]
    try:
        values = bytearray(_LINE_VALUES.pack(0, 1))
        fcntl.ioctl(descriptor, _GET_VALUES, values)
        return bool(_LINE_VALUES.unpack(values)[0] & 1)
    finally:
        os.close(descriptor)


def _describe(path: Path) -> Chip:
    _, label, lines = _CHIP_INFO.unpack(_ioctl(path, _GET_CHIP_INFO, bytes(_CHIP_INFO.size)))
    return Chip(int(path.name.removeprefix("gpiochip")), _text(label), lines)


def _ioctl(path: Path, request: int, argument: bytes) -> bytes:
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        buffer = bytearray(argument)
        fcntl.ioctl(descriptor, request, buffer)
        return bytes(buffer)
    finally:
        os.close(descriptor)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "replace")
