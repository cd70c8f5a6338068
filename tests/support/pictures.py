"""Test pictures that a program can tell apart, and the frame number written into them.

The number stands as 16 black or white blocks in the top row, least significant bit first, each a
sixteenth of the width wide and an eighteenth of the height high; the simulated camera does the same.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Picture = np.ndarray[Any, np.dtype[np.uint8]]
"""Rows, columns, RGB."""

BLOCKS = 16
ROWS = 18

BLACK = 12
"""Of 255: what is behind words and between pictures is darker."""


def coloured(colour: tuple[int, int, int], width: int = 640, height: int = 360) -> Picture:
    """One colour all over."""
    return np.full((height, width, 3), colour, dtype=np.uint8)


def write_number(picture: Picture, number: int) -> None:
    height, width = picture.shape[:2]
    for bit in range(BLOCKS):
        left, right = bit * width // BLOCKS, (bit + 1) * width // BLOCKS
        picture[: height // ROWS, left:right] = 255 * (number >> bit & 1)


def read_number(picture: Picture) -> int:
    height, width = picture.shape[:2]
    row = picture[height // ROWS // 2]
    bits = (row[(2 * bit + 1) * width // (2 * BLOCKS)].mean() > 125 for bit in range(BLOCKS))
    return sum(1 << bit for bit, white in enumerate(bits) if white)


def framed(screen: Picture) -> Picture:
    """The picture of 16:9 on a screen that shows one: words stand on black, above it and beneath.

    Its number stands on black too, so the height is by the width, from the lowest row on.
    """
    lit = screen.max(axis=2) > BLACK
    rows = np.flatnonzero(lit.mean(axis=1) > 0.5)
    columns = np.flatnonzero(lit[rows].mean(axis=0) > 0.5) if len(rows) else rows
    if not len(columns):
        return screen
    left, right, bottom = columns[0], columns[-1] + 1, rows[-1] + 1
    top = max(0, bottom - round((right - left) * 9 / 16))
    return screen[top:bottom, left:right]


def mean_colour(picture: Picture) -> tuple[float, float, float]:
    """Of the middle of the picture, where no number and no label stands."""
    height, width = picture.shape[:2]
    middle = picture[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4]
    red, green, blue = middle.reshape(-1, 3).mean(axis=0)
    return float(red), float(green), float(blue)


def shows(picture: Picture, colour: tuple[int, int, int], tolerance: float = 30) -> bool:
    """Whether the middle has this colour, as far as 4:2:0 and an encoder leave it."""
    return all(abs(a - b) <= tolerance for a, b in zip(mean_colour(picture), colour, strict=True))


def capture_seconds(number: int, framerate: int, now: float) -> float:
    """The monotonic time of the simulated camera's picture with this number, the last one before `now`:
    number n is taken at n / framerate, and 16 bits of it are shown."""
    newest = int(now * framerate)
    return (newest - ((newest - number) & 0xFFFF)) / framerate
