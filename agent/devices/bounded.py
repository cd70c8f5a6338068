"""Calls into hardware that may hang, given a deadline.

A call that misses it is left behind in its thread: the thread is a daemon, and the process it
hangs in is the media process, which can be killed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from agent.errors import DeviceTimeout

T = TypeVar("T")


def call_within(
    seconds: float,
    call: Callable[[], T],
    what: str,
    discard: Callable[[T], object] = lambda result: None,
) -> T:
    """The call's result or its exception. Raises DeviceTimeout when it takes longer.

    A result that comes too late is given to `discard`, so that nothing stays open unseen.
    """
    return _Call(call, discard, what).result(seconds)


class _Call(Generic[T]):
    """One call in a thread of its own; whoever comes second, result or deadline, sees the other."""

    def __init__(self, call: Callable[[], T], discard: Callable[[T], object], what: str) -> None:
        self._call = call
        self._discard = discard
        self._what = what
        self._lock = threading.Lock()
        self._given_up = False
        self._results: list[T] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=what, daemon=True)

    def result(self, seconds: float) -> T:
        self._thread.start()
        self._thread.join(seconds)
        with self._lock:
            if self._error is not None:
                raise self._error
            if self._results:
                return self._results[0]
            self._given_up = True
        raise DeviceTimeout("hung", f"{self._what} did not return within {seconds:g} s")

    def _run(self) -> None:
        try:
            result = self._call()
        except BaseException as error:
            self._error = error
            return
        with self._lock:
            late = self._given_up
            self._results.append(result)
        if late:
            self._discard(result)
