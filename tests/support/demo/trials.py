"""The tool as its three users meet it: `python -m tests.support.demo.trials FOLDER [TRIAL ...]` types what they would type.

Official, technician and operator, each in Vietnamese and in English, in tmux with 80 columns and 24 lines, at two
rooms with simulated devices and their hub. What the terminal showed is left as text in FOLDER, for a person to read.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.support.demo.typing_lines import TRIALS
from tests.support.media_server import MediaServer
from tests.support.real_hub import RealHub, real_hub
from tests.support.waiting import wait_for

ROOMS = ("lung-cu", "dat-mui")
COLUMNS, LINES = 80, 24
PROMPT = "$ "
LINE_SECONDS = 120.0
QUIET_SECONDS = 2.0
"""A screen that did not change for so long waits for an answer."""

LONGEST_SECONDS = 10.0


class Terminal:
    """One shell in tmux."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._name = f"trials-{os.getpid()}"
        given = [f"{name}={value}" for name, value in environment.items()]
        size = ("-x", str(COLUMNS), "-y", str(LINES))
        shell = ("env", *given, f"PS1={PROMPT}", "sh")
        self._tmux("-f", "/dev/null", "new-session", "-d", "-s", self._name, *size, *shell)
        self._tmux("set-option", "-g", "history-limit", "20000")

    def type(self, line: str) -> None:
        """A command, and waits for the next prompt; `> text` answers a question, `^C` interrupts."""
        if line == "^C":
            self._still()
            self._tmux("send-keys", "-t", self._name, "C-c")
        elif line.startswith(">"):
            self._still()
            self._keys(line[1:].strip())
            return
        else:
            self._keys(line)
            if line.endswith("#"):  # it waits for an answer, or for ^C
                return
        wait_for(self._prompting, LINE_SECONDS, lambda: f"{line} is done: {self.text()[-800:]}")

    def text(self) -> str:
        """All that was ever on it, as it was broken at its edge."""
        return self._tmux("capture-pane", "-p", "-S", "-", "-t", self._name).rstrip()

    def close(self) -> None:
        self._tmux("kill-session", "-t", self._name)

    def _keys(self, text: str) -> None:
        self._tmux("send-keys", "-t", self._name, "-l", text)
        self._tmux("send-keys", "-t", self._name, "Enter")
        time.sleep(0.3)

    def _prompting(self) -> bool:
        return self.text().rsplit("\n", 1)[-1].rstrip() == PROMPT.rstrip()

    def _still(self) -> None:
        """Until nothing changes on it; a clock on it may go on for ever."""
        before = self.text()
        since = begin = time.monotonic()
        while time.monotonic() < min(since + QUIET_SECONDS, begin + LONGEST_SECONDS):
            time.sleep(0.2)
            now = self.text()
            if now != before:
                before, since = now, time.monotonic()

    @staticmethod
    def _tmux(*arguments: str) -> str:
        command = ["tmux", "-L", f"trials-{os.getpid()}", *arguments]
        done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
        return done.stdout


@contextlib.contextmanager
def terminal(hub: RealHub, folder: Path, language: str, media_url: str) -> Iterator[Terminal]:
    """In a folder of its own, with the tool in its path and pointed at the first room."""
    room = hub.site.rooms[ROOMS[0]]
    opened = Terminal(
        {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LANG": "vi_VN.UTF-8" if language == "vi" else "C.UTF-8",
            "PYTHONUTF8": "1",
            "DIEMCAU_CONFIG": str(room.folder / "agent.yaml"),
            "DIEMCAU_CONDUCTOR": str(hub.site.conductor.config),
            "DIEMCAU_HUB_FOLDER": str(folder / "ca"),
            "DIEMCAU_AGENDA": str(folder / "agenda.json"),
            "ROOM": str(room.folder),
            "OTHER": str(hub.site.rooms[ROOMS[1]].folder),
            "PID": str(room.pid),
            "PORT": str(hub.site.broker.port),
            "MEDIA": media_url,
            "HERE": str(folder),
        }
    )
    try:
        opened.type('cd "$HERE"; umask 077; clear')
        yield opened
    finally:
        opened.close()


def main(out: Path, wanted: list[str]) -> None:
    out.mkdir(parents=True, exist_ok=True)
    for language in ("vi", "en"):
        for name in wanted or list(TRIALS):
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                (folder / "desk").mkdir()
                with (
                    real_hub(folder, ROOMS) as hub,
                    MediaServer() as open_to_all,
                    terminal(hub, folder / "desk", language, open_to_all.url) as shell,
                ):
                    path = out / f"{name}-{language}.txt"
                    print(path, flush=True)
                    try:
                        for line in TRIALS[name]:
                            shell.type(line)
                    finally:
                        path.write_text(shell.text() + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
