"""A whole room: settings, the daemon's own process, and what can be asked of it.

The settings are config/demo.yaml (every device simulated) with what differs between rooms filled
in; the demo, the bench and tests of the whole daemon run such rooms.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.support.waiting import wait_for

DEMO_SETTINGS = Path(__file__).parents[2] / "config" / "demo.yaml"
STOP_SECONDS = 10
ANSWER_SECONDS = 60
LOG_TAIL_LINES = 20


class Room:
    """A daemon with simulated devices in a folder of its own."""

    def __init__(self, room_id: str, name: str, folder: Path) -> None:
        self.id = room_id
        self.folder = folder
        self.settings: dict[str, Any] = yaml.safe_load(DEMO_SETTINGS.read_text("utf-8"))
        self.settings["room"] |= {"id": room_id, "name": name}
        self.settings["store"] = {"path": str(folder / "store")}
        self.settings["control"] = {"socket": str(folder / "control.sock")}
        self.devices["simulation"]["directory"] = str(folder)
        self.devices["speaker"]["record"] = str(folder / "speaker.wav")
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def devices(self) -> dict[str, Any]:
        devices: dict[str, Any] = self.settings["devices"]
        return devices

    @property
    def speaker_recording(self) -> Path:
        """What the room has heard so far."""
        return self.folder / "speaker.wav"

    @property
    def log(self) -> Path:
        return self.folder / "daemon.log"

    def use_hub(self, port: int, topic_root: str) -> None:
        self.settings["hub"] |= {"port": port, "topic_root": topic_root}

    def meet(self, other: Room, media_url: str) -> None:
        """Publish under the room's own name, play what the other room publishes."""
        self.settings["media"] |= {
            "publish_url": f"{media_url}/{{meeting}}-{{room}}/whip",
            "play_urls": [f"{media_url}/{{meeting}}-{other.id}/whep"],
        }

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(
        self,
        environment: dict[str, str] | None = None,
        entry: Sequence[str] = ("agent",),
        prefix: Sequence[str] = (),
        python: Sequence[str] = (sys.executable,),
    ) -> None:
        """Start the daemon's process; `entry` is the module to run and arguments before `run`,
        `prefix` a command that runs another, as `nice` does, `python` the interpreter with its options."""
        self.folder.mkdir(parents=True, exist_ok=True)
        file = self.folder / "agent.yaml"
        file.write_text(yaml.safe_dump(self.settings, allow_unicode=True), "utf-8")
        command = [*prefix, *python, "-m", *entry, "run", "--config", str(file)]
        with self.log.open("ab") as log:
            # its own session: Ctrl-C at the terminal is for the demo, which then ends the meeting
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=environment,
            )

    def wait_online(self, seconds: float = 10) -> None:
        """Until the daemon says that its link to the hub is up."""
        wait_for(
            self._online, seconds, lambda: f"{self.id} online; its log ends: {self.log_tail()}"
        )

    def wait_answering(self, seconds: float = 10) -> None:
        """Until the control socket answers, with a hub or without."""
        wait_for(
            self._answering, seconds, lambda: f"{self.id} answers; its log ends: {self.log_tail()}"
        )

    def _answering(self) -> bool:
        try:
            return bool(self.ask(type="status"))
        except (OSError, json.JSONDecodeError):
            return False

    def _online(self) -> bool:
        try:
            return bool(self.ask(type="status")["link"]["up"])
        except (OSError, json.JSONDecodeError):
            return False

    def log_tail(self) -> list[str]:
        """The last lines that the daemon and its media process wrote."""
        return self.log.read_text("utf-8", "replace").splitlines()[-LOG_TAIL_LINES:]

    def ask(self, **query: Any) -> dict[str, Any]:
        """One line to the control socket and the first line of the answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(ANSWER_SECONDS)
            link.connect(self.settings["control"]["socket"])
            link.sendall(json.dumps(query).encode() + b"\n")
            with link.makefile("rb") as answers:
                answer: dict[str, Any] = json.loads(answers.readline())
        return answer

    def snapshot(self, path: Path) -> Path:
        """The picture that the room's display shows, written to a PNG file."""
        answer = self.ask(type="snapshot", source="received")
        if answer.get("type") != "snapshot" or answer.get("error"):
            raise ValueError(f"no snapshot: {answer.get('error') or answer}")
        shutil.move(answer["path"], path)
        return path

    def open_devices(self) -> list[str]:
        """Which simulated devices are open now, by the files that they keep while they are."""
        return sorted(file.stem for file in self.folder.glob("*.open"))

    def live_processes(self, *devices: str) -> list[int]:
        """Processes that have one of these simulated devices open now, or any of all: by their files, which one
        that was killed leaves behind."""
        files = [file for file in self.folder.glob("*.open") if not devices or file.stem in devices]
        pids = {int(file.read_text() or 0) for file in files}
        return sorted(pid for pid in pids if Path(f"/proc/{pid}").exists())

    def opened_at(self, device: str) -> float:
        """When it was opened, in seconds since the epoch."""
        return os.stat(self.folder / f"{device}.open").st_mtime

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The daemon does nothing meanwhile: what a test prepares is ready before it goes on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        yield
        self._process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def wait_killed(self, seconds: float = 20) -> None:
        """Until it has died of SIGKILL by itself."""
        assert self._process is not None
        assert self._process.wait(seconds) == -signal.SIGKILL, self.log_tail()

    def wait(self, seconds: float) -> int:
        """Until it ends by itself: its exit code."""
        assert self._process is not None
        return self._process.wait(seconds)

    def stop(self) -> int | None:
        """SIGTERM, as systemd would; SIGKILL if that does not help. Returns the exit code."""
        if self._process is None:
            return None
        self._process.send_signal(signal.SIGTERM)
        try:
            return self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait()
