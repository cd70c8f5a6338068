"""The room's screen: the picture of the source that is shown, on KMS, in a window, or nowhere.

With no output the pictures are decoded all the same, so that health and snapshots speak of what is
received.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from agent.media.pipeline import Pipeline, SharedClock
from agent.settings import Output

SINKS = {"kms": "kmssink", "window": "autovideosink"}

SHOW = """
 appsrc name=in is-live=true format=time max-buffers=2 leaky-type=downstream
 ! videoconvert ! {sink} name=out sync=false"""


class Screen:
    """Shows one of the attached sources, the first one."""

    def __init__(self, clock: SharedClock, output: Output, on_error: Callable[[str], None]) -> None:
        self._lock = threading.Lock()
        self._order: list[str] = []
        self._latest: dict[str, Any] = {}
        self._pipeline: Pipeline | None = None
        if output.driver in SINKS:
            sink = SINKS[output.driver]
            self._pipeline = Pipeline(clock, SHOW.format(sink=sink), on_error)

    def start(self) -> None:
        if self._pipeline:
            self._pipeline.play()

    def close(self) -> None:
        if self._pipeline:
            self._pipeline.close()

    def attach(self, key: str) -> Callable[[Any], None]:
        """A place for one source; what is returned takes its pictures, from any thread."""
        with self._lock:
            self._order.append(key)
        return lambda sample: self._take(key, sample)

    def detach(self, key: str) -> None:
        with self._lock:
            self._order.remove(key)
            self._latest.pop(key, None)

    def shown(self) -> Any | None:
        """The sample that is on the screen now, if any."""
        with self._lock:
            return next((self._latest[key] for key in self._order if key in self._latest), None)

    def _take(self, key: str, sample: Any) -> None:
        with self._lock:
            if key not in self._order:
                return
            self._latest[key] = sample
            first = key == self._order[0]
        if first and self._pipeline:
            self._pipeline["in"].emit("push-sample", sample)
