"""Whether other programs keep the processor from us now, so that what takes long says nothing of what was waited for."""

from __future__ import annotations

import os
import statistics
import time

from agent.host.system import System

STARVED_PROGRAMS = 4.0
"""For each processor. Deadlines are about four times what a thing takes at rest."""

PRESSED_PERCENT = 50.0
"""Of the last ten seconds in which somebody waited for a processor (proc_pressure_cpu: some avg10). Less of it, and
the programs that want to run now are a moment's."""

LOOKS = 9
LOOK_SECONDS = 0.05


def starved(system: System | None = None, processors: int | None = None) -> float | None:
    """How many programs want each processor now, if too many to judge anything by a deadline; else None.

    Takes half a second. Kernels without pressure figures (Raspberry Pi OS starts without them) are judged by
    those programs alone. What one program gets itself says less: the kernel shares out by groups, and a new program's
    first slices come at once.
    """
    system = system or System()
    if _pressed_percent(system) < PRESSED_PERCENT:
        return None
    running = statistics.median(_running(system) for _ in range(LOOKS))
    each = running / (processors or os.cpu_count() or 1)
    return each if each >= STARVED_PROGRAMS else None


def _pressed_percent(system: System) -> float:
    """Of the last ten seconds; 100 where the kernel does not say."""
    _, found, rest = (system.read("/proc/pressure/cpu") or "").partition("avg10=")
    return float(rest.split()[0]) if found else 100.0


def _running(system: System) -> int:
    """Programs that run or could (proc_stat: procs_running), after a moment's sleep."""
    time.sleep(LOOK_SECONDS)
    _, found, rest = (system.read("/proc/stat") or "").partition("procs_running ")
    return int(rest.split()[0]) if found else 0
