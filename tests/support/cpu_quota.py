"""A share of the processor and no more, as a slower board has: a control group of our own (cgroups(7), v1 and v2)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from tests.support.closing import Closing

V1, V2 = Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup")
PERIOD_MICROSECONDS = 20_000
"""Short: a slow processor is slow all the time, and does not stop for a tenth of a second."""


class CpuQuota(Closing):
    """A context manager; OSError where this machine or this user can't make one. `within` begins a command in it."""

    def __init__(self, cores: float) -> None:
        self._v1 = (V1 / "cpu.cfs_quota_us").exists() or (V1 / "tasks").exists()
        self._group = (V1 if self._v1 else V2) / f"diemcau-bench-{os.getpid()}"
        self._group.mkdir()
        try:
            self.allow(cores)
        except OSError:
            self.close()
            raise
        join = f'echo $$ > {self._group}/cgroup.procs && exec "$@"'
        self.within = ("sh", "-c", join, "sh")

    def allow(self, cores: float) -> None:
        """From now on so much."""
        quota = round(cores * PERIOD_MICROSECONDS)
        if self._v1:
            (self._group / "cpu.cfs_period_us").write_text(str(PERIOD_MICROSECONDS))
            (self._group / "cpu.cfs_quota_us").write_text(str(quota))
        else:
            (self._group / "cpu.max").write_text(f"{quota} {PERIOD_MICROSECONDS}")

    def close(self) -> None:
        """Whoever was in it has ended."""
        with contextlib.suppress(OSError):
            self._group.rmdir()
