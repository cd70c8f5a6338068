"""The media process's one thread of decisions: calls and timers, run one after the other.

GStreamer's threads, device threads and HTTP threads change nothing themselves; they post a call.
"""

from __future__ import annotations

import heapq
import itertools
import queue
import time
from collections.abc import Callable

Call = Callable[[], None]


class Timer:
    """A call to come; `cancel()` may be called at any time, in the loop's thread."""

    def __init__(self, call: Call, every_seconds: float | None = None) -> None:
        self._call: Call | None = call
        self._every_seconds = every_seconds

    def cancel(self) -> None:
        self._call = None

    def fire(self) -> None:
        if self._call:
            self._call()

    def next_due(self, now: float) -> float | None:
        """When it fires again after `now`; None for never."""
        if self._call is None or self._every_seconds is None:
            return None
        return (now // self._every_seconds + 1) * self._every_seconds


class Loop:
    """Runs posted calls in order, and timers when they are due."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._timers: list[tuple[float, int, Timer]] = []
        self._numbers = itertools.count()
        self._running = True

    def post(self, call: Call) -> None:
        """From any thread; never blocks."""
        self._calls.put(call)

    def later(self, seconds: float, call: Call) -> Timer:
        """In the loop's own thread only."""
        timer = Timer(call)
        self._add(time.monotonic() + seconds, timer)
        return timer

    def every(self, seconds: float, call: Call) -> Timer:
        """Again and again until it is cancelled, whenever the clock is at a multiple of `seconds`: so all
        that look often do so in one waking. In the loop's own thread, or before it runs.
        """
        timer = Timer(call, seconds)
        self._again(timer)
        return timer

    def _again(self, timer: Timer) -> None:
        due = timer.next_due(time.monotonic())
        if due is not None:
            self._add(due, timer)

    def _add(self, due: float, timer: Timer) -> None:
        heapq.heappush(self._timers, (due, next(self._numbers), timer))

    def run(self) -> None:
        """Returns after `stop`."""
        while self._running:
            try:
                call = self._calls.get(timeout=self._until_next())
            except queue.Empty:
                call = self._fire_due
            call()
            self._fire_due()

    def stop(self) -> None:
        """In the loop's own thread only."""
        self._running = False

    def _until_next(self) -> float | None:
        if not self._timers:
            return None
        return max(0.0, self._timers[0][0] - time.monotonic())

    def _fire_due(self) -> None:
        while self._timers and self._timers[0][0] <= time.monotonic() and self._running:
            timer = heapq.heappop(self._timers)[2]
            timer.fire()
            self._again(timer)
