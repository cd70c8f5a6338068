"""The daemon at rest: in standby with its hub connection, a health document a minute.

Memory is its proportional set size (PSS), which reads lower while other processes of Python share their pages with
it, and its own part of that (anonymous memory), which nobody shares. The processor's share is user and system time.
"""

from __future__ import annotations

import compileall
import socket
import tempfile
import time
from pathlib import Path

import agent
from tests.bench.footprint import megabytes
from tests.bench.room import TOPIC_ROOT
from tests.bench.row import Row
from tests.support.broker import Broker
from tests.support.installed import PYTHON, as_installed
from tests.support.room import Room

SETTLE_SECONDS = 5.0
OBSERVED_SECONDS = 60.0
LIMIT_PSS_MEGABYTES = 22.0
LIMIT_OWN_MEGABYTES = 17.0
LIMIT_CPU_PERCENT = 0.3
LIMIT_READY_SECONDS = 1.0
LIMIT_WRITTEN_KILOBYTES = 0.0
"""The one write an hour, of the last good time, is done at the start."""

READY_DEADLINE_SECONDS = 20.0

VIETNAMESE = {"LC_ALL": "vi_VN.UTF-8"}
"""The language of the machine: nobody reads what an idle daemon says, so it may not cost it anything."""


def measure() -> list[Row]:
    compileall.compile_dir(Path(agent.__file__).parent, quiet=1)  # a package has its bytecode
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        Broker(Path(folder) / "broker") as broker,
    ):
        room = Room("bench-room", "Bench", Path(folder) / "room")
        room.use_hub(broker.port, TOPIC_ROOT)
        room.settings["health"]["interval_seconds"] = 60
        try:
            ready = seconds_to_ready(room, Path(folder) / "notify")
            room.wait_online()
            time.sleep(SETTLE_SECONDS)
            before, written = cpu_seconds(room.pid), kilobytes_written(room.pid)
            time.sleep(OBSERVED_SECONDS)
            percent = 100 * (cpu_seconds(room.pid) - before) / OBSERVED_SECONDS
            written = kilobytes_written(room.pid) - written
            memory, own = megabytes(room.pid, "Pss"), megabytes(room.pid, "Pss_Anon")
        finally:
            room.stop()
    return [
        Row("daemon, start to READY", ready, "s", LIMIT_READY_SECONDS),
        Row("daemon idle, PSS", memory, "MB", LIMIT_PSS_MEGABYTES),
        Row("daemon idle, its own memory", own, "MB", LIMIT_OWN_MEGABYTES),
        Row("daemon idle, share of a core", percent, "%", LIMIT_CPU_PERCENT),
        Row("daemon idle, written to disk", written, "KB", LIMIT_WRITTEN_KILOBYTES),
    ]


def seconds_to_ready(room: Room, address: Path) -> float:
    """Start the room as systemd would, and wait for READY=1 (sd_notify(3))."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notifications:
        notifications.bind(str(address))
        notifications.settimeout(READY_DEADLINE_SECONDS)
        started = time.monotonic()
        room.start(
            environment=as_installed(address.parent) | VIETNAMESE | {"NOTIFY_SOCKET": str(address)},
            python=PYTHON,
        )
        while b"READY=1" not in notifications.recv(4096):
            pass
        return time.monotonic() - started


def cpu_seconds(pid: int) -> float:
    """Time on a processor of all threads, to the nanosecond (Documentation/scheduler/sched-stats)."""
    files = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(file.read_text().split()[0]) for file in files) / 1e9


def kilobytes_written(pid: int) -> float:
    """What the process has had written to disks: proc(5), write_bytes."""
    lines = Path(f"/proc/{pid}/io").read_text().splitlines()
    (written,) = (int(line.split()[1]) for line in lines if line.startswith("write_bytes:"))
    return written / 1024
