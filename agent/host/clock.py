"""Whether the machine's clock is synchronised: a Pi has none of its own and starts in the past."""

from __future__ import annotations

from collections.abc import Callable

from agent.host.system import System

TIMESYNC_MARK = "/run/systemd/timesync/synchronized"
"""Touched by systemd-timesyncd at each synchronisation: systemd-timesyncd.service(8)."""

TIME_ERROR = 5
"""What adjtimex(2) returns until chronyd or ntpd has set the clock."""


def synchronised(system: System, adjtimex: Callable[[], int] | None = None) -> bool:
    """True as soon as NTP has set the clock once since the machine started."""
    if system.exists(TIMESYNC_MARK):
        return True
    return (adjtimex or _adjtimex)() in range(TIME_ERROR)


def _adjtimex() -> int:
    import ctypes

    timex = ctypes.create_string_buffer(256)  # struct timex takes 208; all zero: only read
    return int(ctypes.CDLL(None).adjtimex(timex))
