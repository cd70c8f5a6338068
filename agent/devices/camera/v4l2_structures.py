"""The kernel's structures and numbers for Video4Linux2 devices (<linux/videodev2.h>), 64 bit only."""

from __future__ import annotations

import ctypes
from typing import Any, ClassVar

CAPTURE, OUTPUT_MULTIPLANAR, CAPTURE_MULTIPLANAR = 1, 10, 9
"""V4L2_BUF_TYPE_...: what a camera gives; what a codec takes and gives."""

MEMORY_MMAP = 1
FLAG_ERROR = 0x40
FLAG_MONOTONIC = 0x2000
FULL_RANGE = 1
"""V4L2_QUANTIZATION_FULL_RANGE."""

S_FMT = 0xC0D05605
S_PARM = 0xC0CC5616
REQBUFS = 0xC0145608
QUERYBUF = 0xC0585609
QBUF = 0xC058560F
DQBUF = 0xC0585611
ENUM_FMT = 0xC0405602
STREAMON = 0x40045612
S_CTRL = 0xC008561C

BITRATE = 0x9909CF
HEADER_MODE = 0x9909D8
REPEAT_SEQUENCE_HEADER = 0x9909E2
FORCE_KEY_FRAME = 0x9909E5
H264_I_PERIOD = 0x990A66
H264_LEVEL = 0x990A67
H264_PROFILE = 0x990A6B
"""Controls of encoders, V4L2_CID_MPEG_VIDEO_..."""

CONSTRAINED_BASELINE = 1
JOINED_WITH_FIRST_FRAME = 1
LEVEL_NUMBERS = {31: 9, 32: 10, 40: 11, 42: 13}
"""V4L2_MPEG_VIDEO_H264_LEVEL_... by ten times the level."""

_Fields = list[tuple[str, Any]]


class Description(ctypes.Structure):
    """v4l2_fmtdesc."""

    _fields_: ClassVar[_Fields] = [
        ("index", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", ctypes.c_char * 4),
        ("reserved", ctypes.c_uint32 * 4),
    ]


class Format(ctypes.Structure):
    """v4l2_format of a camera."""

    _fields_: ClassVar[_Fields] = [
        ("type", ctypes.c_uint64),  # 32 bits, then padding
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("pixelformat", ctypes.c_char * 4),
        ("field", ctypes.c_uint32),
        ("bytesperline", ctypes.c_uint32),
        ("sizeimage", ctypes.c_uint32),
        ("colorspace", ctypes.c_uint32),
        ("private", ctypes.c_uint32),
        ("flags", ctypes.c_uint32),
        ("encoding", ctypes.c_uint32),
        ("quantization", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 156),
    ]


class PlaneFormat(ctypes.Structure):
    """v4l2_plane_pix_format."""

    _fields_: ClassVar[_Fields] = [
        ("sizeimage", ctypes.c_uint32),
        ("bytesperline", ctypes.c_uint32),
        ("reserved", ctypes.c_uint16 * 6),
    ]


class MultiplanarFormat(ctypes.Structure):
    """v4l2_format of a codec."""

    _fields_: ClassVar[_Fields] = [
        ("type", ctypes.c_uint64),  # 32 bits, then padding
        ("width", ctypes.c_uint32),
        ("height", ctypes.c_uint32),
        ("pixelformat", ctypes.c_char * 4),
        ("field", ctypes.c_uint32),
        ("colorspace", ctypes.c_uint32),
        ("planes", PlaneFormat * 8),
        ("num_planes", ctypes.c_uint8),
        ("rest", ctypes.c_uint8 * 19),
    ]


class Parameters(ctypes.Structure):
    """v4l2_streamparm; a camera's and an encoder's have the fraction in the same place."""

    _fields_: ClassVar[_Fields] = [
        ("type", ctypes.c_uint32),
        ("capability", ctypes.c_uint32),
        ("capturemode", ctypes.c_uint32),
        ("numerator", ctypes.c_uint32),
        ("denominator", ctypes.c_uint32),
        ("rest", ctypes.c_uint8 * 184),
    ]


class Buffers(ctypes.Structure):
    """v4l2_requestbuffers."""

    _fields_: ClassVar[_Fields] = [
        ("count", ctypes.c_uint32),
        ("type", ctypes.c_uint32),
        ("memory", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 2),
    ]


class Buffer(ctypes.Structure):
    """v4l2_buffer; `offset` is a pointer to planes where the type is multiplanar."""

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


class Plane(ctypes.Structure):
    """v4l2_plane."""

    _fields_: ClassVar[_Fields] = [
        ("bytesused", ctypes.c_uint32),
        ("length", ctypes.c_uint32),
        ("offset", ctypes.c_uint64),  # a union with pointers
        ("data_offset", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 11),
    ]


class Control(ctypes.Structure):
    """v4l2_control."""

    _fields_: ClassVar[_Fields] = [("id", ctypes.c_uint32), ("value", ctypes.c_int32)]
