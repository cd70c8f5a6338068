"""Calls into hardware that may hang, given a deadline.

A call that misses it is left behind in its thread: the thread is a daemon, and the process it
hangs in is the media child, which can be killed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from agent.errors import DeviceTimeout

T = TypeVar("T")


def call_within(seconds: float, call: Callable[[], T], what: str) -> T:
    """The call's result or its exception. Raises DeviceTimeout when it takes longer."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(call())
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, name=what, daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise DeviceTimeout("hung", f"{what} did not return within {seconds:g} s")
    if errors:
        raise errors[0]
    return results[0]
