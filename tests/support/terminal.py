"""A program at a terminal of 80 by 24, and somebody who answers its questions when they are asked."""

from __future__ import annotations

import fcntl
import os
import select
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

from tests.support.waiting import PATIENCE


class Terminal:
    """One program that runs in it; `shown` is all that it has written so far."""

    def __init__(self, command: Sequence[str], environment: dict[str, str] | None = None) -> None:
        self._leader, follower = os.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=environment,
            cwd=Path(__file__).parents[2],
        )
        os.close(follower)
        self.shown = ""
        self._answered = 0

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._leader)

    def answer(self, question: str, answer: str, seconds: float = 20) -> str:
        """Wait for the question, then type the answer and Enter.

        Returns what was shown since the last answer, the lines joined: where they break depends on the words.
        """
        end = time.monotonic() + PATIENCE * seconds
        while question not in (new := self.shown[self._answered :]):
            assert self._read(end), f"{question!r} was not asked:\n{self.shown}"
        self._answered = len(self.shown)
        os.write(self._leader, f"{answer}\n".encode())
        return " ".join(new.split())

    def end(self, seconds: float = 40) -> int:
        """The exit code, once it has ended."""
        end = time.monotonic() + PATIENCE * seconds
        while self._read(end):
            pass
        return self._process.wait(max(1.0, end - time.monotonic()))

    def _read(self, end: float) -> bool:
        """Wait for more; False if none comes any more, or not before the `end`."""
        ready, _, _ = select.select([self._leader], [], [], max(0.0, end - time.monotonic()))
        try:
            more = os.read(self._leader, 65536) if ready else b""
        except OSError:  # the other end is closed
            return False
        self.shown += more.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(more)
