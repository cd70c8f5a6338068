"""The two clocks of the machine, read in one place and handed to the core as `Now`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

from agent.core.clock import Now

RECHECK_SECONDS = 10.0
"""A clock that wasn't synchronised is asked again this often; asking is a file or a system call."""


class SystemClock:
    """`now()` never goes to the network; `is_synchronised` is asked until it has said yes once."""

    def __init__(self, is_synchronised: Callable[[], bool]) -> None:
        self._is_synchronised = is_synchronised
        self._synchronised = False
        self._asked = float("-inf")

    def now(self) -> Now:
        monotonic = time.monotonic()
        if not self._synchronised and monotonic - self._asked >= RECHECK_SECONDS:
            self._asked = monotonic
            self._synchronised = self._is_synchronised()
        return Now(monotonic, datetime.now(UTC), self._synchronised)
