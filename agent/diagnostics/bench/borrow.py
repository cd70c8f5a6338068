"""Borrows a device for a test: starts the test process, and kills it as soon as a meeting begins.

Its death closes the device, whatever its driver is doing; so a test can neither hang the
tool nor keep a room out of its meeting.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import IO

from agent.diagnostics.bench.loan import Loan, take
from agent.diagnostics.bench.protocol import (
    Level,
    Loaded,
    Refusal,
    Request,
    Result,
    decode_line,
    encode,
)
from agent.diagnostics.site import Site
from agent.errors import AgentError, DeviceTimeout
from agent.ipc.loading import SignsOfLife
from agent.ipc.patience import patience

LOOK_SECONDS = 0.2
"""How often it is asked whether a meeting begins; a media process takes longer to load."""

START_SECONDS = 15.0
"""What opening and closing may take beyond the seconds asked for, on a Pi 4."""

PROGRAM = (sys.executable, "-m", "agent.diagnostics.bench.process")


class MeetingBegan(AgentError):
    """The device was given back to a meeting."""

    def __init__(self) -> None:
        super().__init__("meeting-began", "a meeting began, so the device was given back to it")


class BenchFailed(AgentError):
    """The device refused, or the test process broke down; `code` as DeviceError's."""


def borrow(
    site: Site, request: Request, on_level: Callable[[Level], None] = lambda level: None
) -> Result:
    """Try a device of the site out, with the lamp lit and the audit written.

    Raises MeetingBegan, NotLent, BenchFailed, DeviceTimeout.
    """
    if site.devices_needed():
        raise MeetingBegan
    with take(site, request.task) as loan:
        return _try_out(site, request, loan, on_level)


def _try_out(site: Site, request: Request, loan: Loan, on_level: Callable[[Level], None]) -> Result:
    with _process(request, loan) as process:
        assert process.stdout is not None
        limit = _Limit(process.pid, request.seconds)
        needed = lambda: loan.lost() or site.devices_needed()  # noqa: E731
        for line in _lines(process.stdout, limit, needed):
            match decode_line(line):
                case Loaded():
                    limit.loaded()
                case Level() as level:
                    on_level(level)
                case Refusal(code, text):
                    raise BenchFailed(code, text)
                case result:
                    return result
        raise BenchFailed("crashed", f"the test process ended with status {process.wait()}")


class _Limit:
    """How long a test process may take: while it loads it is judged by its signs of life, from then on by the clock."""

    def __init__(self, pid: int, seconds: float) -> None:
        """`seconds` are those that the task takes by itself."""
        self._seconds = seconds
        self._life: SignsOfLife | None = SignsOfLife(pid, time.monotonic())
        self._deadline = 0.0

    def loaded(self) -> None:
        self._life = None
        self._deadline = time.monotonic() + self._seconds + patience(START_SECONDS)

    def check(self) -> None:
        """Raises DeviceTimeout when it has taken too long."""
        if self._life is not None:
            if complaint := self._life.complaint(time.monotonic()):
                raise DeviceTimeout("hangs", f"the test process {complaint}")
        elif time.monotonic() >= self._deadline:
            raise DeviceTimeout("hangs", "the device did not finish in time; the test was stopped")


@contextmanager
def _process(request: Request, loan: Loan) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        PROGRAM,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=loan.descriptors,
        umask=0o077,  # what it writes is what the room looks and sounds like
    )
    try:
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(encode(request) + b"\n")
            process.stdin.close()
        yield process
    finally:
        process.kill()
        with suppress(subprocess.TimeoutExpired):
            process.wait(2.0)  # a driver that hangs in the kernel can't be waited for
        assert process.stdout is not None
        process.stdout.close()


def _lines(stream: IO[bytes], limit: _Limit, needed: Callable[[], bool]) -> Iterator[bytes]:
    """Its lines as they come. Raises MeetingBegan, DeviceTimeout."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        rest = b""
        looked = time.monotonic()
        while True:
            if selector.select(LOOK_SECONDS):
                chunk = os.read(stream.fileno(), 65536)
                if not chunk:
                    return
                *lines, rest = (rest + chunk).split(b"\n")
                yield from lines
            if time.monotonic() - looked >= LOOK_SECONDS:
                looked = time.monotonic()
                if needed():
                    raise MeetingBegan
                limit.check()
