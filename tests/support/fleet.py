"""Many real daemons on one machine: forked from one process that has loaded the code, media by the tests' stand-in.

`python -m tests.support.fleet` reads settings files from its standard input, a line each, starts a daemon for each and says
its process id; it ends with its input, and they with it. `Fleet` is the tests' hold on it.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml

from tests.support.room import Room

FAKE_MEETING = Path(__file__).with_name("fake_meeting.pl")
PR_SET_PDEATHSIG = 1
END_SECONDS = 60


class Fleet:
    """A context manager: rooms are started with it and killed at its end."""

    def __init__(self, rooms: list[Room], environment: Mapping[str, str] = os.environ) -> None:
        self._rooms = rooms
        self._environment = environment
        self.pids: dict[str, int] = {}

    def __enter__(self) -> Fleet:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fleet"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**self._environment, "PYTHONPATH": os.pathsep.join(self._python_path())},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        for room in self._rooms:
            room.folder.mkdir(parents=True, exist_ok=True)
            file = room.folder / "agent.yaml"
            file.write_text(yaml.safe_dump(room.settings, allow_unicode=True), "utf-8")
            self._process.stdin.write(f"{file}\n")
            self._process.stdin.flush()
            self.pids[room.id] = int(self._process.stdout.readline())
        return self

    def _python_path(self) -> list[str]:
        given = self._environment.get("PYTHONPATH")
        return [*([given] if given else []), str(Path(__file__).parents[2])]

    @contextmanager
    def frozen(self, rooms: list[str]) -> Iterator[None]:
        """These say nothing meanwhile, and their connections stay."""
        for room in rooms:
            os.kill(self.pids[room], signal.SIGSTOP)
        try:
            yield
        finally:
            for room in rooms:
                os.kill(self.pids[room], signal.SIGCONT)

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_SECONDS)
        self._process.kill()
        self._process.wait()


def main() -> None:
    from agent.ipc.supervisor import Supervisor
    from agent.runtime import bootstrap

    fake = ("perl", str(FAKE_MEETING))
    vars(bootstrap)["Supervisor"] = partial(Supervisor, command=fake)
    gc.freeze()
    children = []
    for line in sys.stdin:
        parent, child = os.getpid(), os.fork()
        if child == 0:
            be_daemon(Path(line.strip()), parent, bootstrap.run)
        children.append(child)
        print(child, flush=True)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)


def be_daemon(config: Path, parent: int, run: object) -> None:
    """Does not return."""
    assert callable(run)
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    os.setsid()
    nothing = os.open(os.devnull, os.O_RDONLY)
    log = os.open(config.with_name("daemon.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    status = 1
    try:
        status = int(run(config, print))
    finally:
        os._exit(status)


if __name__ == "__main__":
    main()
