"""Borrows a device for a test: starts the bench child, and kills it as soon as a meeting begins.

The child's death closes the device, whatever its driver is doing; so a test can neither hang the
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
from agent.diagnostics.bench.protocol import Level, Refusal, Request, Result, decode_line, encode
from agent.diagnostics.site import Site
from agent.errors import AgentError, DeviceTimeout

LOOK_SECONDS = 0.2
"""How often it is asked whether a meeting begins; a media process takes longer to load."""

START_SECONDS = 15.0
"""What loading, opening and closing may take beyond the seconds asked for."""


class MeetingBegan(AgentError):
    """The device was given back to a meeting."""

    def __init__(self) -> None:
        super().__init__("meeting-began", "a meeting began, so the device was given back to it")


class BenchFailed(AgentError):
    """The device refused, or the child broke down; `code` as DeviceError's."""


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
    deadline = time.monotonic() + request.seconds + START_SECONDS
    with _child(request, loan) as child:
        assert child.stdout is not None
        needed = lambda: loan.lost() or site.devices_needed()  # noqa: E731
        for line in _lines(child.stdout, deadline, needed):
            match decode_line(line):
                case Level() as level:
                    on_level(level)
                case Refusal(code, text):
                    raise BenchFailed(code, text)
                case result:
                    return result
        raise BenchFailed("crashed", f"the test process ended with status {child.wait()}")


@contextmanager
def _child(request: Request, loan: Loan) -> Iterator[subprocess.Popen[bytes]]:
    child = subprocess.Popen(
        [sys.executable, "-m", "agent.diagnostics.bench.worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pass_fds=loan.descriptors,
        umask=0o077,  # what it writes is what the room looks and sounds like
    )
    try:
        assert child.stdin is not None
        with suppress(BrokenPipeError):
            child.stdin.write(encode(request) + b"\n")
            child.stdin.close()
        yield child
    finally:
        child.kill()
        with suppress(subprocess.TimeoutExpired):
            child.wait(2.0)  # a driver that hangs in the kernel can't be waited for
        assert child.stdout is not None
        child.stdout.close()


def _lines(stream: IO[bytes], deadline: float, needed: Callable[[], bool]) -> Iterator[bytes]:
    """The child's lines as they come. Raises MeetingBegan, DeviceTimeout."""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        rest = b""
        looked = time.monotonic()
        while time.monotonic() < deadline:
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
    raise DeviceTimeout("hangs", "the device did not finish in time; the test was stopped")
