"""Waiting for a condition with a deadline, instead of sleeping for luck."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = 5
"""How much longer than an idle machine a busy one may take. A deadline is there so that a test ends; how long
a thing may take is measured by the benches, as a ratio within one run.
"""


def wait_for(
    condition: Callable[[], T | None],
    seconds: float,
    what: str | Callable[[], str],
    poll_seconds: float = 0.02,
) -> T:
    """The condition's first true result. `seconds` is for an idle machine; AssertionError naming `what`
    (a function says how things stand by then) comes after PATIENCE times as long.
    """
    end = time.monotonic() + PATIENCE * seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > end:
            wanted = what if isinstance(what, str) else what()
            raise AssertionError(f"not within {PATIENCE * seconds} s: {wanted}")
        time.sleep(poll_seconds)
