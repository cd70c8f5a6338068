"""What people who are not logged in try, in the audit: so much a minute, and the rest as a count.

Each line is written to the disk by the loop that gives the floor; nobody without a password may keep it busy.
"""

from __future__ import annotations

from collections.abc import Callable

from agent.conductor.requests import Audited

LINES_A_MINUTE = 30
MINUTE_SECONDS = 60.0


class Strangers:
    """`post` takes the lines."""

    def __init__(self, post: Callable[[Audited], None]) -> None:
        self._post = post
        self._began = 0.0
        self._told = self._left_out = 0

    def tell(self, line: Audited, now: float) -> None:
        """One line; `now` is monotonic."""
        if now - self._began >= MINUTE_SECONDS:
            if self._left_out:
                self._post(Audited("?", f"login, {self._left_out} more like these", "not-listed"))
            self._began, self._told, self._left_out = now, 0, 0
        if self._told >= LINES_A_MINUTE:
            self._left_out += 1
            return
        self._told += 1
        self._post(line)
