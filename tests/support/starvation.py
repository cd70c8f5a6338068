"""How busy others kept the machine during a test: a verdict on sound and picture is then no verdict."""

from __future__ import annotations

import os
import time
from pathlib import Path

BUSY_SHARE = 0.5
"""Of the time somebody waited for a processor (the kernel's PSI). A test that carries media does so for a
third of its time by itself, for most of it beside another one, and for nearly all of it beside one that computes.
"""

STOLEN_SHARE = 0.02
"""Of the processors' time the host gave to others (proc(5), `steal`)."""


class Watch:
    """From its making on."""

    def __init__(self) -> None:
        self._began, self._waited, self._stolen = time.monotonic(), waited(), stolen()

    def starved(self) -> str:
        """What was withheld; empty where the machine was the test's own."""
        seconds = max(time.monotonic() - self._began, 0.001)
        waiting = (waited() - self._waited) / seconds
        stealing = (stolen() - self._stolen) / seconds / (os.cpu_count() or 1)
        if waiting < BUSY_SHARE and stealing < STOLEN_SHARE:
            return ""
        return f"{waiting:.0%} of its time others were waiting too, {stealing:.0%} went to the host"


def waited() -> float:
    """Seconds in which at least one task waited for a processor, since the start; 0 without PSI."""
    try:
        some = Path("/proc/pressure/cpu").read_text().splitlines()[0]
    except OSError:
        return 0.0
    return int(some.rpartition("=")[2]) / 1e6


def stolen() -> float:
    """Processor seconds that the host gave to others, since the start."""
    total = Path("/proc/stat").read_text().splitlines()[0].split()
    return int(total[8]) / os.sysconf("SC_CLK_TCK")
