"""One media process's life, watched by one thread: its reports, its stderr, its deadlines, its end.

The supervisor spawns it and speaks to it from the loop's thread; all that happens comes back
through `post`, and `MediaExited` comes exactly once, when the process has been reaped.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial

from agent.core.model.events import MediaExited, MediaReported
from agent.core.model.media import Fault, MediaReport, Ready, Stop
from agent.errors import MessageError
from agent.ipc import loading, protocol
from agent.ipc.lines import LineBuffer
from agent.ipc.process_log import Allowance, ProcessLog
from agent.ports import Post

log = logging.getLogger(__name__)

TERM_AFTER_SECONDS = 2.0
KILL_AFTER_SECONDS = 4.0
"""Counted from the request to stop, which leaves the media process time for its DELETEs."""

REPORTS_PER_SECOND = 100.0
BURST_REPORTS = 500
"""A healthy media process says a few lines a second."""

CHUNK_BYTES = 65_536
LAST_CHUNKS = 16
"""Read at most so much when the process is gone; its socket and pipe hold less."""


class SpawnedProcess:
    """Owns the process, its control line and its stderr until the process has been reaped."""

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        line: socket.socket,
        generation: int,
        post: Post,
    ) -> None:
        assert process.stderr is not None
        self._process = process
        self._line = line
        self._stderr = process.stderr
        self._generation = generation
        self._post = post
        self._started = time.monotonic()
        self._log = ProcessLog(f"media process {process.pid}", self._started)
        self._asked_to_stop = False
        self._complaint = ""
        self._stopping = False
        self._killed = False
        self._life = loading.SignsOfLife(process.pid, self._started)
        self._due: list[tuple[float, Callable[[], None]]] = []
        self._buffer = LineBuffer(protocol.MAX_LINE_BYTES)
        self._allowance = Allowance(REPORTS_PER_SECOND, BURST_REPORTS, self._started)
        self._selector = selectors.DefaultSelector()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._exit = os.pidfd_open(process.pid)
        self._open = True
        self._using_files = threading.Lock()
        self._thread = threading.Thread(target=self._live, name="media-process", daemon=True)

    # --- from the loop's thread; nothing here blocks ---

    def start(self) -> None:
        """Begin to watch."""
        self._line.setblocking(False)
        os.set_blocking(self._stderr.fileno(), False)
        self._thread.start()

    def hide(self, secrets: Iterable[str | None]) -> None:
        """Keep these out of the log."""
        self._log.hide(secrets)

    def send(self, message: protocol.ToMedia) -> None:
        """Write one line. A media process that doesn't take it is ended; one that is gone, ignored."""
        data = protocol.encode(message)
        with self._using_files:
            if not self._open:
                return
            try:
                taken = self._line.send(data) == len(data)
            except BlockingIOError:
                taken = False
            except OSError:
                return  # it hung up, which the watching thread sees as well
        if not taken:
            self.kill("took no instructions any more")

    def stop(self) -> None:
        """Ask it to end, and see to it that it does; a second call changes nothing."""
        if not self._asked_to_stop:
            self._asked_to_stop = True
            self.send(Stop())
            self._rouse()

    def kill(self, complaint: str) -> None:
        """End it at once; `complaint` says what it did, in the past tense."""
        self._complaint = self._complaint or complaint
        self._rouse()

    def join(self, seconds: float) -> bool:
        """Wait until it is reaped; False if it isn't by then."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _rouse(self) -> None:
        with self._using_files:
            if self._open:
                os.eventfd_write(self._wake, 1)

    # --- in the watching thread ---

    def _live(self) -> None:
        try:
            self._watch()
        except Exception:
            log.exception("media process %d cannot be watched", self._process.pid)
            self._complaint = self._complaint or "could not be watched"
        finally:
            self._bury()

    def _watch(self) -> None:
        readers: dict[int, Callable[[], bool]] = {
            self._line.fileno(): self._read_reports,
            self._stderr.fileno(): self._read_stderr,
            self._wake: lambda: os.eventfd_read(self._wake) > 0,
        }
        for file in (*readers, self._exit):
            self._selector.register(file, selectors.EVENT_READ)
        self._look_for_life()
        while True:
            readable = {key.fd for key, _ in self._selector.select(self._seconds_to_deadline())}
            if self._exit in readable:
                return
            for file in readable:
                if not readers[file]():
                    self._selector.unregister(file)
            self._keep_deadlines(time.monotonic())

    def _look_for_life(self) -> None:
        """Until it is ready: end it when it hangs, look again later while it loads."""
        now = time.monotonic()
        if complaint := self._life.complaint(now):
            self.kill(complaint)
        else:
            self._due = [(now + loading.POLL_SECONDS, self._look_for_life)]

    def _seconds_to_deadline(self) -> float | None:
        return max(0.0, self._due[0][0] - time.monotonic()) if self._due else None

    def _keep_deadlines(self, now: float) -> None:
        while self._due and self._due[0][0] <= now:
            self._due.pop(0)[1]()
        if self._asked_to_stop and not self._stopping:
            self._stopping = True
            stubborn = f"did not stop within {KILL_AFTER_SECONDS:.0f} s"
            self._due = [
                (now + TERM_AFTER_SECONDS, partial(self._process.send_signal, signal.SIGTERM)),
                (now + KILL_AFTER_SECONDS, partial(self.kill, stubborn)),
            ]
        if self._complaint and not self._killed:
            self._killed = True
            self._due = []
            self._kill_group()

    def _read_reports(self) -> bool:
        """Take one chunk of reports; False at the end of the line."""
        try:
            chunk = self._line.recv(CHUNK_BYTES)
        except BlockingIOError:
            return True
        except ConnectionResetError:
            chunk = b""
        if not chunk:
            self._expect_exit()
            return False
        try:
            for line in self._buffer.feed(chunk):
                self._take(protocol.decode_for_daemon(line))
        except MessageError as error:
            self.kill(f"said what no media process says: {error.text}")
        return True

    def _take(self, report: MediaReport) -> None:
        if self._complaint:
            return
        if not self._allowance.take(time.monotonic()):
            self.kill(f"flooded the daemon: more than {REPORTS_PER_SECOND:.0f} reports a second")
            return
        if isinstance(report, Ready) and not self._stopping:
            self._due = []
        if isinstance(report, Fault):
            self._log.last_words = report.text
        self._post(MediaReported(self._generation, report))

    def _expect_exit(self) -> None:
        """It closed its line: it is ending, or else it is ended."""
        if not self._stopping:
            hung_up = partial(self.kill, "closed its control line and stayed")
            self._due = [(time.monotonic() + TERM_AFTER_SECONDS, hung_up)]

    def _read_stderr(self) -> bool:
        """Log one chunk; False at the end of the pipe."""
        try:
            chunk = os.read(self._stderr.fileno(), CHUNK_BYTES)
        except BlockingIOError:
            return True
        self._log.feed(chunk, time.monotonic())
        return bool(chunk)

    def _kill_group(self) -> None:
        """SIGKILL for the media process and for what it started (GStreamer's plugin scanner)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _bury(self) -> None:
        """Reap, read its last words, close, and only then say that it is gone."""
        self._kill_group()
        status = self._process.wait()
        for read in (self._read_reports, self._read_stderr):
            for _ in range(LAST_CHUNKS):
                if not read():
                    break
        self._log.finish(time.monotonic())
        with self._using_files:
            self._open = False
            self._line.close()
            self._stderr.close()
            os.close(self._wake)
            os.close(self._exit)
            self._selector.close()
        self._post(MediaExited(self._generation, status, self._obituary(status)))

    def _obituary(self, status: int) -> str:
        """What happened, in a line: `media process 4711 was killed by SIGSEGV after 3.2 s: ...`."""
        if self._complaint:
            how = f"was killed because it {self._complaint}"
        elif status < 0:
            how = f"was killed by {_signal_name(-status)}"
        elif status == 0:
            how = "ended"
        else:
            how = f"ended with exit code {status}"
        seconds = time.monotonic() - self._started
        last_words = f": {self._log.last_words}" if status and self._log.last_words else ""
        return f"media process {self._process.pid} {how} after {seconds:.1f} s{last_words}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
