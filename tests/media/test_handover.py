"""From one session of a source to the next, when the link is full of the first one's picture: whose turn it is to go."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from agent.media.receiving.handover import ANEW_SECONDS, PARALLEL_SECONDS, PRESSED, Handover


class Clock:
    """The loop's timers, which pass when the test says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self._due: list[tuple[float, Clock.Timer]] = []

    class Timer:
        def __init__(self, call: Callable[[], None]) -> None:
            self.call = call

        def cancel(self) -> None:
            self.call = lambda: None

    def later(self, seconds: float, call: Callable[[], None]) -> Timer:
        timer = Clock.Timer(call)
        self._due.append((self.now + seconds, timer))
        return timer

    def post(self, call: Callable[[], None]) -> None:
        call()

    def run(self, seconds: float) -> None:
        self.now += seconds
        due = [timer for at, timer in self._due if at <= self.now]
        self._due = [(at, timer) for at, timer in self._due if at > self.now]
        for timer in due:
            timer.call()


class Reception:
    """Notes what is asked of it."""

    def __init__(self, *, with_picture: bool) -> None:
        self.with_picture = with_picture
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        def note(*arguments: Any) -> None:
            if name in ("start", "leave", "hurry", "repair"):
                self.asked.append(name if name != "repair" else f"repair {arguments[0]}")

        return note

    def close(self) -> list[threading.Thread]:
        self.asked.append("close")
        return []


class Scene:
    def __init__(self, *, picture_comes: bool) -> None:
        self.clock = Clock()
        self.playing = Reception(with_picture=not picture_comes)
        self.coming = Reception(with_picture=picture_comes)
        self.ends: list[str] = []
        self.handover = Handover(
            self.clock,  # type: ignore[arg-type]
            self.playing,  # type: ignore[arg-type]
            self.coming,  # type: ignore[arg-type]
            lambda: self.ends.append("done"),
            lambda: self.ends.append("failed"),
        )
        self.handover.start()


def test_sound_that_comes_through_in_time_leaves_nothing_early() -> None:
    scene = Scene(picture_comes=False)
    scene.clock.run(ANEW_SECONDS / 2)
    scene.handover.on_state("flowing", "")
    scene.clock.run(PARALLEL_SECONDS)
    scene.clock.run(PRESSED * ANEW_SECONDS)
    assert scene.ends == ["done"]
    assert scene.playing.asked == ["repair False"]
    assert not scene.handover.broken


def test_a_queue_that_swallows_the_next_session_is_drained_at_last() -> None:
    scene = Scene(picture_comes=False)
    for _ in range(PRESSED - 1):
        scene.clock.run(ANEW_SECONDS)
    assert scene.coming.asked == ["start", *["hurry"] * (PRESSED - 1)]
    assert scene.playing.asked == ["repair False"], "its sound still comes through"
    scene.clock.run(ANEW_SECONDS)
    assert scene.playing.asked == ["repair False", "leave"]
    assert scene.coming.asked[-1] == "hurry"
    assert scene.handover.broken
    assert not scene.ends, "what plays still brings what is on its way"
    scene.handover.on_state("flowing", "")
    scene.clock.run(PARALLEL_SECONDS)
    assert scene.ends == ["done"]


def test_sound_that_is_well_is_never_left_for_a_picture() -> None:
    scene = Scene(picture_comes=True)
    for _ in range(2 * PRESSED):
        scene.clock.run(ANEW_SECONDS)
    assert scene.playing.asked == []
    scene.handover.on_state("stalled", "no way")
    assert scene.ends == ["failed"]


@pytest.mark.parametrize("pressed", [0, PRESSED])
def test_the_next_takes_over_where_it_fails_and_goes_on_trying(pressed: int) -> None:
    scene = Scene(picture_comes=False)
    for _ in range(pressed):
        scene.clock.run(ANEW_SECONDS)
    scene.handover.on_state("unreachable", "nobody answered")
    assert scene.ends == ["done"]
