"""How good a picture is, from its luma alone: brightness, contrast, sharpness, difference.

Pure Python on small pictures (320 x 180 at most), so that the tool needs no numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean, pstdev

from msgspec import Struct

BLACK_BRIGHTNESS = 24.0
"""Mean luma at or below which a picture is black (16 is black in studio range)."""

BLACK_CONTRAST = 6.0
"""A dark picture with more spread than this still shows something."""


class Luma(Struct, frozen=True):
    """Grey values, row by row, 0 to 255."""

    width: int
    height: int
    values: bytes

    def row(self, y: int) -> bytes:
        """One row."""
        return self.values[y * self.width : (y + 1) * self.width]


class PictureFigures(Struct, frozen=True):
    """`brightness` and `contrast` in luma steps (0 to 255); `sharpness` without unit, sharp > 50."""

    brightness: float
    contrast: float
    sharpness: float

    @property
    def black(self) -> bool:
        """Whether there is nothing to be seen."""
        return self.brightness <= BLACK_BRIGHTNESS and self.contrast <= BLACK_CONTRAST


def judge(luma: Luma) -> PictureFigures:
    """The figures of one picture."""
    return PictureFigures(
        brightness=round(fmean(luma.values), 1),
        contrast=round(pstdev(luma.values), 1),
        sharpness=round(_laplacian_variance(luma), 1),
    )


def difference(a: Luma, b: Luma) -> float:
    """The mean absolute difference of two pictures of one size, in luma steps."""
    return fmean(abs(x - y) for x, y in zip(a.values, b.values, strict=True))


def _laplacian_variance(luma: Luma) -> float:
    """The variance of the second derivative: the usual measure of focus (Pech-Pacheco 2000)."""
    values: list[int] = []
    for y in range(1, luma.height - 1):
        values += _laplacian(luma.row(y - 1), luma.row(y), luma.row(y + 1))
    return pstdev(values) ** 2 if values else 0.0


def _laplacian(above: Sequence[int], row: Sequence[int], below: Sequence[int]) -> list[int]:
    return [
        up + down + left + right - 4 * here
        for up, down, left, right, here in zip(
            above[1:-1], below[1:-1], row[:-2], row[2:], row[1:-1], strict=True
        )
    ]
