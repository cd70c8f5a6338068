"""Levels of H.264: how much there is to decode. Encoders write it into the stream, offers name it before there is one."""

from __future__ import annotations

LEVELS = ((31, 108_000, 3_600), (32, 216_000, 5_120), (40, 245_760, 8_192), (42, 522_240, 8_704))
"""Ten times the level, macroblocks a second, macroblocks a picture (H.264, table A-1); from what every
WebRTC offer names on."""


def level(width: int, height: int, framerate: float) -> int:
    """Ten times the lowest H.264 level, 3.1 at least, that such pictures keep to."""
    macroblocks = -(-width // 16) * -(-height // 16)
    for number, a_second, a_picture in LEVELS:
        if macroblocks <= a_picture and macroblocks * framerate <= a_second:
            return number
    return LEVELS[-1][0]
