"""Deadlines, as plain data: the loop asks what is due and how long it may sleep.

They pair with the core's `SetDeadline`, `CancelDeadline` and `DeadlinePassed`.
"""

from __future__ import annotations

from agent.core.model.deadlines import Deadline


class Timers:
    """The deadlines that are set, on the monotonic clock that the caller hands in (seconds).

    There are a dozen at the most, so a dictionary beats a heap.
    """

    def __init__(self) -> None:
        self._deadlines: dict[Deadline, float] = {}

    def set(self, deadline: Deadline, seconds: float, now: float) -> None:
        """Be due `seconds` after `now`; replaces an equal deadline that was set before."""
        self._deadlines[deadline] = now + seconds

    def cancel(self, deadline: Deadline) -> None:
        """Forget it; fine if it is not set."""
        self._deadlines.pop(deadline, None)

    def due(self, now: float) -> list[Deadline]:
        """Those whose time has come, earliest first; each is said once."""
        passed = [one for one, when in self._deadlines.items() if when <= now]
        passed.sort(key=self._deadlines.__getitem__)
        for deadline in passed:
            del self._deadlines[deadline]
        return passed

    def seconds_to_next(self, now: float) -> float | None:
        """How long until something is due: 0 if it is now, None if nothing ever is."""
        if not self._deadlines:
            return None
        return max(0.0, min(self._deadlines.values()) - now)
