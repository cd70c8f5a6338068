"""The bench can be asked what it measures."""

from __future__ import annotations

from tests.bench.__main__ import chosen, listing, pieces


def test_its_pieces_are_there_and_say_what_they_measure() -> None:
    found = pieces()
    assert {"cost", "media", "meeting", "cycles", "idle"} <= found.keys()
    lines = listing(found).splitlines()[1:]
    assert [line.split()[0] for line in lines] == list(found)
    assert all(len(line.split()) > 4 for line in lines)


def test_the_long_ones_run_only_when_asked_for() -> None:
    found = pieces()
    assert found["meeting"] not in chosen(found, [], long=False)
    assert found["meeting"] in chosen(found, [], long=True)
    assert chosen(found, ["meeting"], long=False) == [found["meeting"]]
