"""When sources that a room shall not play any more end: after those that come, and never late."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from agent.media.loop import Loop
from agent.media.receiving import parting
from agent.media.receiving.parting import Parting
from tests.support.waiting import wait_for

CHAIR, OLD, NEW = "chair", "old", "new"


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loop]:
    monkeypatch.setattr(parting, "PARTING_SECONDS", 60)
    monkeypatch.setattr(parting, "OVERLAP_SECONDS", 0)
    loop = Loop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    yield loop
    loop.post(loop.stop)
    thread.join()


class Ended(list[str]):
    """The sources that were ended, in order; calls run in the loop's thread."""

    def __init__(self, loop: Loop) -> None:
        self._loop = loop
        self.parting = Parting(loop, self.append)

    def replace(self, playing: list[str], wanted: list[str]) -> Ended:
        return self._do(lambda: self.parting.replace(playing, wanted))

    def arrive(self, url: str, wait_seconds: float = 0) -> Ended:
        return self._do(lambda: self.parting.arrived(url, wait_seconds))

    def _do(self, call: object) -> Ended:
        done = threading.Event()
        self._loop.post(call)  # type: ignore[arg-type]
        self._loop.post(done.set)
        assert done.wait(20)
        return self


def test_one_plays_on_until_the_other_is_there(loop: Loop) -> None:
    ended = Ended(loop).replace([CHAIR, OLD], [CHAIR, NEW])
    assert ended == []
    assert ended.arrive(CHAIR) == []
    ended.arrive(NEW)
    wait_for(lambda: ended == [OLD], 20, "the old one is ended, once")
    assert ended.arrive(NEW) == [OLD]


def test_where_none_comes_it_ends_at_once(loop: Loop) -> None:
    assert Ended(loop).replace([CHAIR, OLD], [CHAIR]) == [OLD]


def test_one_that_does_not_come_keeps_nobody(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parting, "PARTING_SECONDS", 0.05)
    ended = Ended(loop).replace([OLD], [NEW])
    wait_for(lambda: ended == [OLD], 20, "the old one is ended")


def test_one_that_is_wanted_again_stays(loop: Loop) -> None:
    ended = Ended(loop).replace([CHAIR, OLD], [CHAIR, NEW])
    ended.replace([CHAIR, OLD, NEW], [CHAIR, OLD])
    assert ended == [NEW], "that one goes, and nothing comes"
    assert ended.arrive(NEW) == [NEW]


def test_no_more_than_a_room_can_decode_play_at_once(loop: Loop) -> None:
    ended = Ended(loop).replace([OLD, "b", "c", "d"], [NEW, "b", "c", "d"])
    assert ended == [OLD]


def test_two_changes_in_a_row_leave_nothing_behind(loop: Loop) -> None:
    ended = Ended(loop).replace([CHAIR, OLD], [CHAIR, NEW])
    ended.replace([CHAIR, OLD, NEW], [CHAIR, "third"])
    assert ended == []
    ended.arrive("third")
    wait_for(lambda: sorted(ended) == [NEW, OLD], 20, "both are ended")


def test_the_old_one_plays_until_the_new_one_is_heard(loop: Loop) -> None:
    """Its first sound waits for late packets and a busy machine, up to 0.6 s."""
    ended = Ended(loop).replace([CHAIR, OLD], [CHAIR, NEW])
    assert ended.arrive(NEW, 60) == []
    assert ended.arrive(NEW) == [], "what it reports later is not its arrival"


def test_of_two_that_come_the_one_that_is_heard_later_counts(loop: Loop) -> None:
    ended = Ended(loop).replace([CHAIR, OLD], [CHAIR, NEW, "third"])
    assert ended.arrive(NEW, 60).arrive("third", 0) == []
    ended.replace([CHAIR, OLD, NEW, "third"], [CHAIR, "fourth"])
    ended.arrive("fourth", 0)
    wait_for(lambda: sorted(ended) == [NEW, OLD, "third"], 20, "the next change waits anew")
