"""Named deadlines, as plain data: the loop asks what is due and how long it may sleep.

They pair with the core's `SetDeadline`, `CancelDeadline` and `DeadlinePassed`.
"""

from __future__ import annotations


class Timers:
    """Deadlines by name, on the monotonic clock that the caller hands in (seconds).

    There are a dozen at the most, so a dictionary beats a heap.
    """

    def __init__(self) -> None:
        self._deadlines: dict[str, float] = {}

    def set(self, name: str, seconds: float, now: float) -> None:
        """Be due `seconds` after `now`; replaces an earlier deadline of that name."""
        self._deadlines[name] = now + seconds

    def cancel(self, name: str) -> None:
        """Forget it; fine if there is none."""
        self._deadlines.pop(name, None)

    def due(self, now: float) -> list[str]:
        """The names whose time has come, earliest first; each is said once."""
        passed = [name for name, deadline in self._deadlines.items() if deadline <= now]
        passed.sort(key=self._deadlines.__getitem__)
        for name in passed:
            del self._deadlines[name]
        return passed

    def seconds_to_next(self, now: float) -> float | None:
        """How long until something is due: 0 if it is now, None if nothing ever is."""
        if not self._deadlines:
            return None
        return max(0.0, min(self._deadlines.values()) - now)
