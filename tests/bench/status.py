"""What the tool's `status` costs beside the bare import of its libraries, with a daemon at rest."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.bench.row import Row
from tests.support.room import Room

RUNS = 5
LIMIT_RATIO = 3.0
LIBRARIES = "import typer, rich.console, yaml, msgspec"


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder:
        room = Room("bench-room", "Bench", Path(folder))
        room.start()
        try:
            room.wait_answering()
            config = str(room.folder / "agent.yaml")
            status = work_milliseconds("-m", "agent", "status", "--config", config)
        finally:
            room.stop()
    return [Row("status, CPU", status, "ms", LIMIT_RATIO, work_milliseconds("-c", LIBRARIES))]


def work_milliseconds(*arguments: str) -> float:
    """Of Python with these arguments, user and system: the least of some runs."""
    return min(_once(arguments) for _ in range(RUNS))


def _once(arguments: tuple[str, ...]) -> float:
    before = _children_seconds()
    subprocess.run([sys.executable, *arguments], check=False, stdout=subprocess.DEVNULL, timeout=60)
    return 1000 * (_children_seconds() - before)


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
