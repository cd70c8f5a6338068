"""Where each picture stands on the screen: plain arithmetic, no pixels.

Words have places of their own, above and below the pictures: none is ever over a face.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

from agent.media.picture.lettering import (
    BAND_POINTS,
    BAND_SHARE,
    BASIS,
    Words,
    fitted,
    top_height,
)
from agent.settings import Output

Layout = Literal["grid", "first-big"]

OWN = "own"
"""The key of the room's own picture; the others are the sources' URLs."""

WIDE_HEIGHT = 66
"""Per cent of its width that a picture of 16:9 needs with its name beneath it."""

OWN_SHARE = 4, 5
"""The room's own picture is a quarter of the screen across while it is alone, a fifth beside sources."""


class Tile(NamedTuple):
    """A picture's place in pixels; all numbers are even, as 4:2:0 wants them."""

    x: int
    y: int
    width: int
    height: int


class Places(NamedTuple):
    """Of the sources in their order, and of the room's own picture."""

    sources: list[Tile]
    own: Tile


def places(output: Output, count: int, words: Words, *, own: bool) -> Places:
    """On this screen, with these words on it; `own`: the room sees itself in the lower right corner."""
    unit = output.width / BASIS
    top = round(top_height(words) * unit)
    band = round(fitted(words.band, BAND_POINTS, output.height / unit * BAND_SHARE).height * unit)
    height = max(output.height - top - band, output.height // 8)
    across = min(output.width // OWN_SHARE[bool(count)], height * output.width // output.height)
    tall = across * output.height // output.width
    corner = _tile(output.width - across, top + height - tall, across, tall)
    width = output.width - across if own else output.width
    tiles = arrange(count, width, height, output.layout)
    return Places([_tile(t.x, t.y + top, t.width, t.height) for t in tiles], corner)


def arrange(count: int, width: int, height: int, layout: Layout) -> list[Tile]:
    """Places for `count` pictures (0 to 4), in order, none overlapping another."""
    if count == 0:
        return []
    if count == 1:
        return [_tile(0, 0, width, height)]
    if layout == "first-big":
        return _first_big(count, width, height)
    rows = (count + 1) // 2
    tall = height // 2 if rows > 1 else min(height, width * WIDE_HEIGHT // 200)
    top = (height - rows * tall) // 2
    cells = [(i % 2, i // 2) for i in range(count)]
    tiles = [
        _tile(column * width // 2, top + row * tall, width // 2, tall) for column, row in cells
    ]
    if count % 2:  # a lone last one stands in the middle
        last = tiles[-1]
        tiles[-1] = _tile(width // 4, last.y, last.width, last.height)
    return tiles


def _first_big(count: int, width: int, height: int) -> list[Tile]:
    """Three quarters for the first, a column on the right for the others, each of a third."""
    side = width // 4
    small = height // 4
    top = (height - 3 * small) // 2
    others = [_tile(width - side, top + i * small, side, small) for i in range(count - 1)]
    return [_tile(0, (height - height * 3 // 4) // 2, width - side, height * 3 // 4), *others]


def _tile(x: int, y: int, width: int, height: int) -> Tile:
    return Tile(x & ~1, y & ~1, width & ~1, height & ~1)
