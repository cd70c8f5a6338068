"""The daemon with a logbook of its steps, which can be made to kill itself (SIGKILL) at one of them.

`python -m tests.support.crashing STEPS [options] run --config FILE`: every step that the performer and
the journal take is appended to the file STEPS. The options say what else differs from a plain run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sqlite3
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import structs

from agent import host
from agent.core.model import effects as do
from agent.core.model.clock import Now
from agent.core.model.commands import Command
from agent.core.model.effects import Effect, SendAck
from agent.host import sampling
from agent.ipc.supervisor import Supervisor
from agent.ports import Outgoing
from agent.runtime import bootstrap
from agent.runtime.clock import SystemClock
from agent.runtime.outside import Outside
from agent.runtime.performer import Performer
from agent.store.database import Database
from agent.store.journal import Journal

FULL = 2
"""SQLite's `PRAGMA synchronous` where each commit is an fsync (sqlite.org/pragma.html)."""

FAKE_MEDIA_PROCESS = Path(__file__).with_name("fake_media_process.py")


class Logbook:
    """Steps as lines of a file, which outlive the process; death comes at the chosen one."""

    def __init__(self, path: Path, crash: tuple[str, str] | None) -> None:
        self._file = path.open("a", buffering=1)
        self._crash = crash

    @contextmanager
    def step(self, label: str) -> Iterator[None]:
        self._die_at("before", label)
        yield
        self._file.write(label + "\n")
        self._die_at("after", label)

    def reach(self, label: str) -> None:
        """A moment rather than a step."""
        self._die_at("at", label)

    def _die_at(self, when: str, label: str) -> None:
        if self._crash == (when, label):
            os.kill(os.getpid(), signal.SIGKILL)


class LoggingPerformer(Performer):
    def __init__(self, outside: Outside, logbook: Logbook) -> None:
        super().__init__(outside)
        self._logbook = logbook

    def _perform(self, effect: Effect, outgoing: Outgoing | None) -> None:
        with self._logbook.step(label(effect)):
            super()._perform(effect, outgoing)


class GivenClock(SystemClock):
    """Both clocks as many seconds ahead as stands in a file: a test lets hours pass by writing into it."""

    def __init__(self, ahead: Path, *args: Any, **options: Any) -> None:
        self._ahead = ahead
        super().__init__(*args, **options)

    def now(self) -> Now:
        now, seconds = super().now(), float(self._ahead.read_text())
        return structs.replace(
            now,
            monotonic_seconds=now.monotonic_seconds + seconds,
            wall=now.wall + timedelta(seconds=seconds),
        )


class LoggingJournal(Journal):
    """Looks before and after each write, and before the commit of several."""

    def __init__(self, folder: str, logbook: Logbook, **options: Any) -> None:
        self._logbook = logbook
        self._keys: dict[str, str] = {}
        self._latest = ""
        super().__init__(folder, **options)

    @contextmanager
    def together(self) -> Iterator[None]:
        with super().together():
            yield
            self._logbook.reach(f"commit {self._latest}")
        self._logbook.reach(f"committed {self._latest}")

    def record_command(self, command: Command) -> None:
        self._latest = command.id
        with self._logbook.step(f"record_command {command.id}"):
            super().record_command(command)

    def record_result(self, send: SendAck) -> Outgoing:
        with self._logbook.step(f"record_result {send.ack.id}"):
            outgoing = super().record_result(send)
        self._keys[outgoing.key] = send.ack.id
        return outgoing

    def mark_sent(self, key: str) -> None:
        with self._logbook.step(f"mark_sent {self._keys.get(key)}"):
            super().mark_sent(key)


def slow_down(kind: type[Database], write_seconds: float) -> None:
    """Each commit that is to be on disk takes so long, as on an SD card that is busy."""
    execute = kind.execute

    def slow(self: Database, query: str, parameters: Sequence[object] = ()) -> sqlite3.Cursor:
        if query == "COMMIT":
            (synchronous,) = execute(self, "PRAGMA synchronous").fetchone()
            if synchronous == FULL:
                time.sleep(write_seconds)
        return execute(self, query, parameters)

    kind.execute = slow  # type: ignore[method-assign]


def label(effect: Effect) -> str:
    """An effect in a line: its name and what tells it from others of its kind."""
    name = type(effect).__name__
    match effect:
        case SendAck(ack):
            return f"{name} {ack.id} {ack.state}"
        case do.SetLamp(mode):
            return f"{name} {mode}"
        case do.SetDeadline(deadline, seconds):
            return f"{name} {deadline} {seconds:g}"
        case do.StartMedia(generation):
            return f"{name} {generation}"
    return name


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("steps", type=Path)
    parser.add_argument("--crash", nargs=2, metavar=("before|at|after", "STEP"))
    parser.add_argument("--boot-id", type=Path, help="a file with the kernel's boot id")
    parser.add_argument("--hours-ahead", type=float, default=0)
    parser.add_argument("--clock", type=Path, help="a file: how many seconds ahead both clocks are")
    parser.add_argument("--unsynchronised", action="store_true", help="NTP never sets the clock")
    parser.add_argument(
        "--media-process", help="a behaviour of tests/support/fake_media_process.py for the media"
    )
    parser.add_argument("--write-seconds", type=float, default=0, help="what a write to disk takes")
    parser.add_argument("run", choices=["run"])
    parser.add_argument("--config", type=Path, required=True)
    return parser.parse_args()


def main() -> int:
    arguments = parse()
    logbook = Logbook(arguments.steps, tuple(arguments.crash) if arguments.crash else None)
    ahead = timedelta(hours=arguments.hours_ahead)
    replaced = {
        "Performer": lambda outside: LoggingPerformer(outside, logbook),
        "Journal": lambda folder, **options: LoggingJournal(folder, logbook, **options),
        "SystemClock": partial(SystemClock, wall=lambda: datetime.now(UTC) + ahead),
        "BOOT_ID": arguments.boot_id or bootstrap.BOOT_ID,
    }
    if arguments.clock:
        replaced["SystemClock"] = partial(GivenClock, arguments.clock)
    if arguments.media_process:
        fake = (sys.executable, "-I", "-S", str(FAKE_MEDIA_PROCESS), arguments.media_process)
        replaced["Supervisor"] = partial(Supervisor, command=fake)
    if arguments.write_seconds:
        slow_down(Database, arguments.write_seconds)
    vars(bootstrap).update(replaced)
    for module in (host, sampling):
        vars(module)["synchronised"] = lambda _system: not arguments.unsynchronised
    return bootstrap.run(arguments.config, print)


if __name__ == "__main__":
    raise SystemExit(main())
