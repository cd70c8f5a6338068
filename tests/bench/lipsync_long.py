"""How far lips and sound are apart over ten minutes, without and with loss."""

from __future__ import annotations

from tests.bench.lipsync import measure_for
from tests.bench.row import Row

LONG = True
SECONDS = 600.0


def measure() -> list[Row]:
    return measure_for(SECONDS)
