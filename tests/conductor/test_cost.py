"""A province's rooms cost the conductor's core as much each as a district's."""

from __future__ import annotations

import pytest

from tests.bench.conductor_core import Cost


@pytest.mark.alone
def test_a_room_costs_the_same_among_212_and_3321() -> None:
    few, many = Cost(212), Cost(3321)
    assert few.whole
    assert many.whole
    for part in ("start", "floor", "end"):
        each = getattr(many, part) / many.rooms
        assert each < 2.5 * getattr(few, part) / few.rooms, part
    assert many.hand < 0.02
    assert many.megabytes < 200 + few.megabytes
