"""No helper process outlives a test that was killed."""

from __future__ import annotations

import ctypes
import signal

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal to get when the parent ends."""


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
