"""The real media process for a test, with the test in the place of the daemon."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from agent.core.model.media import Instruction, MediaPlan, MediaReport, Start, Stop
from agent.ipc import protocol
from agent.ipc.lines import LineBuffer
from agent.settings import Devices, Media
from tests.support.closing import Closing
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.waiting import wait_for

PROGRAM = ("agent.media.process",)
"""What is run, a module and its arguments."""

R = TypeVar("R", bound=MediaReport)


class MediaProcess(Closing):
    """A context manager; `reports` is all that the media process said, each with its time."""

    def __init__(
        self,
        devices: Devices,
        media: Media | None = None,
        program: Sequence[str] = PROGRAM,
        within: Sequence[str] = (),
    ) -> None:
        """`within` begins the command: in another network, say."""
        self._ours, theirs = socket.socketpair()
        self.started = time.monotonic()
        self._popen = subprocess.Popen(
            [*within, sys.executable, "-m", *program, "--control-fd", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=os.environ | {"GST_DEBUG_NO_COLOR": "1"},
        )
        theirs.close()
        self.reports: list[tuple[float, MediaReport]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.send(
            protocol.Configure(
                devices, media or Media(local_address=ADDRESS, allowed_hosts=LOCAL_HOSTS)
            )
        )

    def _read(self) -> None:
        buffer = LineBuffer(protocol.MAX_LINE_BYTES)
        while True:
            try:
                chunk = self._ours.recv(65536)
            except OSError:
                return
            if not chunk:
                return
            for line in buffer.feed(chunk):
                report = protocol.decode_for_daemon(line)
                self.reports.append((time.monotonic() - self.started, report))

    def send(self, message: protocol.ToMedia | Instruction) -> None:
        self._ours.sendall(protocol.encode(message))

    def start(self, plan: MediaPlan) -> None:
        self.send(Start(plan))

    def said(self, kind: type[R], test: Callable[[R], bool] = lambda _: True) -> list[R]:
        return [r for _, r in tuple(self.reports) if isinstance(r, kind) and test(r)]

    def when(self, kind: type[R], test: Callable[[R], bool] = lambda _: True) -> float:
        """Seconds from the media process's start to the first such report."""
        return next(at for at, r in self.reports if isinstance(r, kind) and test(r))

    def now(self) -> float:
        """Seconds from the media process's start."""
        return time.monotonic() - self.started

    def wait(
        self,
        kind: type[R],
        test: Callable[[R], bool] = lambda _: True,
        seconds: float = 40,
        after: int = 0,
    ) -> R:
        """The first such report, not counting the first `after` reports of any kind."""

        def find() -> R | None:
            found = (r for _, r in self.reports[after:] if isinstance(r, kind) and test(r))
            return next(found, None)

        try:
            return wait_for(find, seconds, f"a {kind.__name__} from the media process")
        except AssertionError as error:
            said = "\n".join(f"{at:7.3f} {report}" for at, report in self.reports)
            raise AssertionError(f"{error}; it said:\n{said}") from None

    def hang_up(self) -> None:
        """The daemon is gone: end of the line."""
        self._ours.shutdown(socket.SHUT_RDWR)

    @property
    def pid(self) -> int:
        return self._popen.pid

    def signal(self, number: signal.Signals) -> None:
        self._popen.send_signal(number)

    def ended(self) -> int:
        """Waits for its end, 60 s at most. The exit status, as Popen has it: -9 of SIGKILL."""
        return self._popen.wait(60)

    def kill(self) -> None:
        """SIGKILL, and it is gone."""
        self.signal(signal.SIGKILL)
        self.ended()

    def stop(self) -> int:
        """In good order, as at a leave. The exit status."""
        self.send(Stop())
        return self.ended()

    def close(self) -> None:
        if self._popen.poll() is None:
            self.kill()
        self._ours.close()
