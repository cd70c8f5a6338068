"""The daemon's hold on the check's process: started, read, and ended with all that it has open."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import msgspec

from agent.core.model.checking import Checked
from agent.core.model.commands import Check
from agent.core.model.events import CheckEnded
from agent.ports import Post

PROGRAM = (sys.executable, "-m", "agent.diagnostics.check_process")
CLOSE_SECONDS = 2.0

_decode = msgspec.json.Decoder(Checked).decode


class Checker:
    """One process at a time, in a process group of its own. Never blocks; what happens comes back as events."""

    def __init__(self, post: Post, config_path: Path, socket_path: Path) -> None:
        self._post = post
        self._arguments = ("--config", str(config_path), "--socket", str(socket_path))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, number: int, check: Check) -> None:
        """Look at the check's parts; its events carry the number."""
        self.stop()
        quiet = ("--quiet",) if check.sound == "off" else ()
        try:
            process = subprocess.Popen(
                [*PROGRAM, *self._arguments, *quiet, *check.parts],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except OSError as error:
            self._post(CheckEnded(number, error=f"cannot start the check: {error}"))
            return
        self._process = process
        reader = threading.Thread(target=self._read, args=(number, process), daemon=True)
        reader.start()

    def stop(self) -> None:
        """End it now: the kernel closes what it and its children have open."""
        process, self._process = self._process, None
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def close(self) -> None:
        """As `stop`, and wait for it a little; may be called twice."""
        process = self._process
        self.stop()
        if process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(CLOSE_SECONDS)

    def _read(self, number: int, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        with process.stdout as output:
            said = output.read()
        status = process.wait()
        try:
            checked = _decode(said)
        except msgspec.MsgspecError:
            text = f"the check's process ended with status {status} and no findings"
            self._post(CheckEnded(number, error=text))
            return
        self._post(CheckEnded(number, checked.findings, checked.complete))
