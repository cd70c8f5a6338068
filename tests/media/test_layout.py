"""Every number of sources has its places, inside the screen and apart from each other."""

from __future__ import annotations

from itertools import combinations

import pytest

from agent.media.picture.layout import Tile, arrange, places
from agent.media.picture.lettering import BAND_POINTS, BASIS, Words, fitted, top_height
from agent.settings import Output


def apart(a: Tile, b: Tile) -> bool:
    return (
        a.x + a.width <= b.x
        or b.x + b.width <= a.x
        or a.y + a.height <= b.y
        or b.y + b.height <= a.y
    )


@pytest.mark.parametrize("layout", ["grid", "first-big"])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
@pytest.mark.parametrize(("width", "height"), [(1280, 720), (1920, 1080), (1366, 768)])
def test_tiles_are_on_the_screen_and_apart(layout, count, width, height) -> None:
    tiles = arrange(count, width, height, layout)
    assert len(tiles) == count
    for tile in tiles:
        assert tile.x >= 0
        assert tile.y >= 0
        assert tile.x + tile.width <= width
        assert tile.y + tile.height <= height
        assert not any(number % 2 for number in tile)
    assert all(apart(a, b) for a, b in combinations(tiles, 2))


def test_one_source_fills_the_screen() -> None:
    assert arrange(1, 1280, 720, "grid") == [Tile(0, 0, 1280, 720)]


def test_two_stand_side_by_side_in_the_middle() -> None:
    assert arrange(2, 1280, 720, "grid") == [Tile(0, 148, 640, 422), Tile(640, 148, 640, 422)]


def test_first_big_gives_the_first_most_of_the_screen() -> None:
    first, *others = arrange(4, 1280, 720, "first-big")
    assert first.width * first.height > 3 * sum(t.width * t.height for t in others) / 2


@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("band", ["", "URGENT CALL", "a word and another " * 30])
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("layout", ["grid", "first-big"])
def test_words_and_pictures_share_the_screen_and_none_covers_another(
    layout, count, band, own
) -> None:
    output = Output(driver="none", width=1280, height=720, layout=layout)
    words = Words("Giao ban", "one\ntwo\nthree", band=band)
    found = places(output, count, words, own=own)
    tiles = [*found.sources, *([found.own] if own else [])]
    top = round(top_height(words) * 1280 / BASIS)
    bottom = 720 - round(fitted(band, BAND_POINTS, 180).height * 1280 / BASIS)
    assert all(tile.y >= top - 1 and tile.y + tile.height <= bottom for tile in tiles)
    assert all(tile.x >= 0 and tile.x + tile.width <= 1280 for tile in tiles)
    assert all(apart(a, b) for a, b in combinations(tiles, 2))


def test_the_own_picture_is_small_and_in_the_lower_right_corner() -> None:
    output = Output(driver="none", width=1280, height=720)
    alone, beside = (places(output, count, Words(), own=True) for count in (0, 1))
    assert alone.own == Tile(960, 540, 320, 180)
    assert beside.own == Tile(1024, 576, 256, 144)
    assert beside.sources[0].width == 1024
