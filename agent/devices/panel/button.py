"""What a button means once its contact has settled: presses, releases, and one held too long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from agent.core.model.documents import DeviceStatus
from agent.devices import status

PRESS_SECONDS = 0.035
"""Down without an edge for so long is a press. Interference on a long cable makes shorter ones (failure row 10), contacts
bounce for up to 20 ms, and whoever presses is to be muted at once."""

SETTLE_SECONDS = 0.06
"""Up without an edge for so long is a release: a contact that opens for less is still pressed."""

HELD_SECONDS = 120.0
"""Held longer than anyone presses: jammed, or its cable is short-circuited."""

CLOSE_SECONDS = 1.0


Change = Callable[[bool], None]
"""Gets whether the button is pressed now."""


def unheard(_pressed: bool) -> None:
    """For a button that nobody listens to."""


class HoldWatch:
    """Since when a button has been down; thread-safe, as it is one assignment."""

    def __init__(self, held_seconds: float = HELD_SECONDS, name: str = "mute button") -> None:
        self._name = name
        self._limit = held_seconds
        self._since: float | None = None

    def changed(self, pressed: bool) -> None:
        """The settled level changed, or is this at the start."""
        self._since = time.monotonic() if pressed else None

    def before(self, on_change: Change) -> Change:
        """Sees each change before it is told."""

        def changed(pressed: bool) -> None:
            self.changed(pressed)
            on_change(pressed)

        return changed

    def fault(self, *, required: bool) -> DeviceStatus | None:
        """The panel's status when the button has been down for too long, else None."""
        since = self._since
        if since is None or time.monotonic() - since < self._limit:
            return None
        text = f"Panel: the {self._name} has been down for {self._limit:g} s; is it jammed or its cable short-circuited?"
        return status.degraded("button-held", text, required=required)


class Debouncer:
    """Calls `on_change(pressed)` from its own thread when the level has settled at another value, each in its time.

    `read` gives the level now. The level at the start is not told: a button that is jammed when the
    agent starts has not been pressed.
    """

    def __init__(self, read: Callable[[], bool], on_change: Callable[[bool], None]) -> None:
        self._read = read
        self._on_change = on_change
        self._edge = threading.Event()
        self._stopping = False
        self._told = read()
        self._thread = threading.Thread(target=self._run, name="mute-button", daemon=True)
        self._thread.start()

    def edge(self) -> None:
        """Something happened on the line; callable from any thread."""
        self._edge.set()

    def close(self) -> None:
        """Nothing is told afterwards; may be called twice."""
        self._stopping = True
        self._edge.set()
        if self._thread is not threading.current_thread():
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while True:
            self._edge.wait()
            self._edge.clear()
            if self._stopping:
                return
            if self._edge.wait(SETTLE_SECONDS if self._told else PRESS_SECONDS):
                continue
            level = self._read()
            if level != self._told:
                self._told = level
                self._on_change(level)
