"""The simulated camera's test picture: one of sixteen colours, and two rows that machines read.

Top row: sixteen blocks, the picture's counter, lowest bit left, white for 1. Bottom row: four
blocks, the pattern's number likewise. Between them a moving block, the colour, a strip of noise
(so that the encoder has as much to do as with a real room) and a grey staircase.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from agent.devices.camera.planes import fill

if TYPE_CHECKING:
    import av

COUNTER_BITS = 16
NUMBER_BITS = 4
NOISE_ROWS = 2
ROWS = 18
"""The picture is cut into so many rows; the counter and the number take one each."""

BLACK, WHITE, GREY = 16, 235, 128
"""Luma of black and white, and the neutral chroma (ITU-R BT.601)."""

COLOURS_RGB = (
    (200, 40, 40), (40, 160, 40), (40, 70, 210), (220, 190, 30),
    (150, 50, 190), (30, 180, 190), (240, 130, 30), (230, 100, 170),
    (110, 20, 20), (20, 80, 30), (20, 30, 110), (120, 100, 10),
    (240, 170, 170), (160, 230, 160), (160, 190, 250), (130, 80, 40),
)  # fmt: skip
"""The field's colour by pattern number: told apart by eye, and by a machine after encoding."""


def luma_chroma(red: int, green: int, blue: int) -> tuple[int, int, int]:
    """Y, Cb, Cr of an RGB colour (ITU-R BT.601, limited range)."""
    luma = 16 + 0.257 * red + 0.504 * green + 0.098 * blue
    chroma_blue = 128 - 0.148 * red - 0.291 * green + 0.439 * blue
    chroma_red = 128 + 0.439 * red - 0.368 * green - 0.071 * blue
    return round(luma), round(chroma_blue), round(chroma_red)


class Pattern:
    """Draws the test picture `number` (0 to 15) in one size."""

    def __init__(self, number: int, width: int, height: int) -> None:
        self.width, self.height = width, height
        self._row_height = height // ROWS
        field_height = height - (4 + NOISE_ROWS) * self._row_height
        luma, self._chroma_blue, self._chroma_red = luma_chroma(*COLOURS_RGB[number])
        stairs = self._blocks([BLACK + step * (WHITE - BLACK) // 7 for step in range(8)])
        self._field = bytes([luma]) * width * field_height
        self._noise = _noise(number, 2 * NOISE_ROWS * self._row_height * width)
        self._below = stairs * self._row_height + self._bits(number, NUMBER_BITS) * self._row_height

    def draw(self, counter: int) -> av.VideoFrame:
        """The picture with this counter, modulo 65,536."""
        luma = (
            self._bits(counter, COUNTER_BITS) * self._row_height
            + self._moving_block(counter) * self._row_height
            + self._field
            + self._noise_strip(counter)
            + self._below
        )
        return self._picture(luma, self._chroma_blue, self._chroma_red)

    def black(self) -> av.VideoFrame:
        """What a covered lens delivers."""
        return self._picture(bytes([BLACK]) * self.width * self.height, GREY, GREY)

    def _picture(self, luma: bytes, chroma_blue: int, chroma_red: int) -> av.VideoFrame:
        import av

        picture = av.VideoFrame(self.width, self.height, "yuv420p")
        luma_plane, *chroma_planes = picture.planes
        fill(luma_plane, luma, self.width, self.width)
        for plane, value in zip(chroma_planes, (chroma_blue, chroma_red), strict=True):
            plane.update(bytes([value]) * plane.buffer_size)
        return picture

    def _noise_strip(self, counter: int) -> bytes:
        """Another cut of the noise in every picture."""
        size = len(self._noise) // 2
        at = counter * 7919 % size
        return self._noise[at : at + size]

    def _bits(self, value: int, count: int) -> bytes:
        return self._blocks([WHITE if value >> bit & 1 else BLACK for bit in range(count)])

    def _blocks(self, values: list[int]) -> bytes:
        """One line of equally wide blocks; the last one takes what is left over."""
        width = self.width // len(values)
        line = b"".join(bytes([value]) * width for value in values)
        return line + line[-1:] * (self.width - len(line))

    def _moving_block(self, counter: int) -> bytes:
        size = self.width // 16
        left = counter * 4 % (self.width - size)
        line = bytearray([BLACK]) * self.width
        line[left : left + size] = bytes([WHITE]) * size
        return bytes(line)


def _noise(seed: int, size: int) -> bytes:
    """Grey of low contrast, the same at every start."""
    narrowed = bytes(GREY - 16 + value // 8 for value in range(256))
    return random.Random(seed).randbytes(size).translate(narrowed)
