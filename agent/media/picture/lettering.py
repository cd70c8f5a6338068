"""How large words are on the screen and how much of it they need: plain arithmetic, no pixels drawn.

Lengths are of a screen 640 wide, as GStreamer's overlays grow with the picture they are drawn on.
"""

from __future__ import annotations

import textwrap
from typing import NamedTuple

BASIS = 640
"""The width for which points are meant (gstbasetextoverlay.c, DEFAULT_SCALE_BASIS)."""

PIXELS_A_POINT = 4 / 3
LINE = 1.2
"""From one line to the next in letters' size: DejaVu Sans has 1.164, Vietnamese marks included."""

LETTER = 0.62
"""A letter's mean width in its size, capitals among them."""

MARGIN = 10
"""Above and below a block of words."""

WORDS_POINTS, LABEL_POINTS, CLOCK_POINTS = 12, 12, 11
BAND_POINTS = (28, 22, 17, 12)
TITLE_POINTS = (40, 30, 22, 16, 12)
"""The first size in which all of it fits is taken."""

BAND_SHARE, TITLE_SHARE = 0.5, 0.95
"""Of a screen's height, which announcements beside pictures, and words alone, may take."""

WORDS_LINES = 2
"""Room for so many stands beside the pictures in any case: they must not jump when a line comes."""


class Words(NamedTuple):
    """All that is written beside the sources' names: the meeting's title before the clock, the lines of words,
    and large words, in the middle of an empty screen (`title`) or beneath pictures (`band`)."""

    head: str = ""
    lines: str = ""
    title: str = ""
    band: str = ""


class Block(NamedTuple):
    """Words broken into lines, their size, and what they take of the height of a screen 640 wide."""

    text: str
    points: int
    height: int


def block_height(points: int, lines: int) -> int:
    """Of so many lines, margins included."""
    return round(points * PIXELS_A_POINT * LINE * lines) + 2 * MARGIN if lines else 0


def fitted(text: str, sizes: tuple[int, ...], height: float) -> Block:
    """The text in the largest size with which it takes no more than `height`; else in the smallest."""
    block = Block("", sizes[0], 0)
    for points in sizes:
        letters = int((BASIS - 2 * MARGIN) / (points * PIXELS_A_POINT * LETTER))
        lines = [part for line in text.splitlines() for part in textwrap.wrap(line, letters)]
        block = Block("\n".join(lines), points, block_height(points, len(lines)))
        if block.height <= height:
            break
    return block


def top_height(words: Words) -> int:
    """What title, clock and lines of words have above the pictures."""
    return block_height(WORDS_POINTS, max(WORDS_LINES, len(words.lines.splitlines())))


def label_height(points: int = LABEL_POINTS) -> int:
    """What a source's name needs beneath its picture, of a picture 640 wide."""
    return round(points * PIXELS_A_POINT * LINE) + MARGIN
