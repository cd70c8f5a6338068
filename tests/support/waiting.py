"""Waiting for a condition with a deadline, instead of sleeping for luck."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_for(
    condition: Callable[[], T | None], seconds: float, what: str, poll_seconds: float = 0.02
) -> T:
    """The condition's first true result. Raises AssertionError naming `what` after `seconds`."""
    end = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(poll_seconds)
