"""Whether this machine keeps up with its screen, and when the screen may be asked for all again: plain arithmetic."""

from __future__ import annotations

WINDOW_SECONDS = 5.0
WINDOWS = 2
"""So many in a row with too few pictures are no passing load."""

LEAST_SHOWN = 0.75
"""Of the pictures that are wanted."""

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 60.0, 600.0
"""Until more is tried again; twice as long after each try that failed."""


class Strain:
    """Counts what is wanted and what is shown, from one `update` to the next; seconds are of one steady clock."""

    def __init__(self) -> None:
        self.overloaded = False
        """Less is asked of the screen since it could not keep up, or it cannot even so."""
        self._began: float | None = None
        self._wanted = 0.0
        self._shown = 0
        self._short = 0
        """Windows in a row with too few."""
        self._eased = 0.0
        self._pause_seconds = FIRST_PAUSE_SECONDS

    def update(self, wanted: float, shown: int, now: float) -> None:
        """So many more pictures should have been shown since the last call, so many were."""
        if self._began is None:
            self._began = now
            return
        self._wanted += wanted
        self._shown += shown
        if now - self._began < WINDOW_SECONDS:
            return
        short = self._shown < LEAST_SHOWN * self._wanted
        self.forget()
        self._began = now
        self._short = self._short + 1 if short else 0
        if self._short >= WINDOWS and not self.overloaded:
            self.overloaded, self._eased = True, now
        elif self.overloaded and short:
            self._eased = now
        elif self.overloaded and now - self._eased >= self._pause_seconds:
            self.overloaded = False
            self._pause_seconds = min(2 * self._pause_seconds, LONGEST_PAUSE_SECONDS)

    def forget(self) -> None:
        """What was counted of this window does not count: something else is shown from now on."""
        self._began, self._wanted, self._shown = None, 0.0, 0
