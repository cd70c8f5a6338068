"""A conductor as a process of its own, with a settings file of its own, and what can be asked of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from agent.conductor.client import ConductorAway, ask
from agent.conductor.core.model.acts import Act
from agent.conductor.core.model.views import MeetingView
from agent.conductor.requests import Answer, ListMeetings, Question
from tests.support.waiting import wait_for

STOP_SECONDS = 10


class ConductorProcess:
    """`start`, `kill -9`, `start` again: the folder stays."""

    def __init__(self, folder: Path, broker_port: int, media_url: str, name: str = "hub") -> None:
        self.folder = folder
        self.settings: dict[str, Any] = {
            "conductor": {
                "name": name,
                "path": str(folder / "store"),
                "socket": str(folder / "control.sock"),
            },
            "hub": {"host": "127.0.0.1", "port": broker_port},
            "media": {
                "publish_url": f"{media_url}/{{meeting}}-{{room}}/whip",
                "play_url": f"{media_url}/{{meeting}}-{{room}}/whep",
            },
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def config(self) -> Path:
        return self.folder / "conductor.yaml"

    @property
    def log(self) -> Path:
        return self.folder / "conductor.log"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(yaml.safe_dump(self.settings), "utf-8")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "agent.conductor.main", "--config", str(self.config)],
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            )

    def wait_linked(self, seconds: float = 20) -> None:
        """Until it answers and has its link to the hub."""

        def linked() -> bool:
            try:
                return not self.ask(ListMeetings()).link
            except ConductorAway:
                return False

        wait_for(linked, seconds, f"the conductor is linked; its log: {self.tail()}")

    def tail(self) -> str:
        return self.log.read_text("utf-8", "replace")[-2000:] if self.log.exists() else ""

    def ask(self, request: Act | Question) -> Answer:
        """Raises ConductorAway, Refused."""
        return ask(Path(self.settings["conductor"]["socket"]), request)

    def meeting(self, id: str) -> MeetingView:
        """The running meeting of this id."""
        return next(
            one for one in self.ask(ListMeetings()).meetings or [] if one.id == id and not one.ended
        )

    def statuses(self, id: str) -> dict[str, str]:
        return {row.room: row.status for row in self.meeting(id).roster}

    def add_account(self, name: str, role: str, password: str) -> None:
        """Of its page; counts at once."""
        self._account("--account", name, "--role", role, typed=password + "\n")

    def remove_account(self, name: str) -> None:
        self._account("--account", name, "--remove")

    def _account(self, *options: str, typed: str = "") -> None:
        command = [sys.executable, "-m", "agent.conductor.main", "--config", str(self.config)]
        subprocess.run([*command, *options], input=typed, text=True, check=True, timeout=60)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def wait(self, seconds: float) -> int:
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> int | None:
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
