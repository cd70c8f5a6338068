"""The media process's one thread of decisions: calls that come again, and end when they are told to."""

from __future__ import annotations

import time

from agent.media.loop import Loop, Timer

PERIOD_SECONDS = 0.05
TIMES = 3


def test_what_comes_again_comes_at_the_same_instants_until_it_is_cancelled() -> None:
    loop = Loop()
    instants: dict[str, list[int]] = {"one": [], "other": []}
    timers: list[Timer] = []

    def note(name: str) -> None:
        instants[name].append(int(time.monotonic() / PERIOD_SECONDS))

    def begin(name: str) -> None:
        timers.append(loop.every(PERIOD_SECONDS, lambda: note(name)))

    def end() -> None:
        if min(map(len, instants.values())) < TIMES:
            return
        for timer in timers:
            timer.cancel()
        loop.later(2 * PERIOD_SECONDS, loop.stop)
        instants["one"].append(-1)

    begin("one")
    loop.later(0.7 * PERIOD_SECONDS, lambda: begin("other"))
    timers.append(loop.every(PERIOD_SECONDS, end))
    loop.run()
    *one, cancelled = instants["one"]
    assert cancelled == -1, "nothing after it was cancelled"
    assert len(instants["other"]) >= TIMES
    assert set(instants["other"]) <= set(one), "they share their wakings"
