"""Where each source's picture stands on the screen: plain arithmetic, no pixels."""

from __future__ import annotations

from typing import Literal, NamedTuple

Layout = Literal["grid", "first-big"]


class Tile(NamedTuple):
    """A picture's place in pixels; all numbers are even, as 4:2:0 wants them."""

    x: int
    y: int
    width: int
    height: int


def arrange(count: int, width: int, height: int, layout: Layout) -> list[Tile]:
    """Places for `count` pictures (0 to 4), in order, none overlapping another."""
    if count == 0:
        return []
    if count == 1:
        return [_tile(0, 0, width, height)]
    if layout == "first-big":
        return _first_big(count, width, height)
    rows = (count + 1) // 2
    top = (height - rows * height // 2) // 2
    places = [(i % 2, i // 2) for i in range(count)]
    tiles = [
        _tile(column * width // 2, top + row * height // 2, width // 2, height // 2)
        for column, row in places
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
