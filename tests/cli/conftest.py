"""A whole room for the tool's tests: the daemon's process, a hub, a media server, the tool's.

The hub and the media server are shared; each test may have a daemon of its own.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.host import load
from tests.support.broker import Broker
from tests.support.media_server import MediaServer
from tests.support.room import Room

TOOL_SECONDS = 90


class Bench:
    """A room, and the tool pointed at it."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.arguments: list[str] = []
        self.environment = {"LANG": "C.UTF-8"}

    @property
    def config(self) -> Path:
        return self.room.folder / "agent.yaml"

    def write_settings(self) -> None:
        """As they are now, without starting anything."""
        self.room.folder.mkdir(parents=True, exist_ok=True)
        self.config.write_text(yaml.safe_dump(self.room.settings, allow_unicode=True), "utf-8")

    def break_device(self, kind: str, fault: str) -> None:
        (self.room.folder / kind).write_text(fault)

    def heal(self) -> None:
        for kind in ("camera", "microphone", "speaker", "display", "panel"):
            (self.room.folder / kind).unlink(missing_ok=True)

    def run(
        self, *arguments: str, before: tuple[str, ...] = ()
    ) -> subprocess.CompletedProcess[str]:
        """The tool with these arguments; `before` is what it is started by."""
        command = [*before, sys.executable, "-m", "agent", *arguments, "--config", str(self.config)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("LC_")}
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=TOOL_SECONDS,
            check=False,
            env=environment | self.environment,
        )

    def doctor(self, *arguments: str, before: tuple[str, ...] = ()) -> Diagnosis:
        """What the doctor finds."""
        return Diagnosis(self.run("doctor", "--json", *arguments, before=before))


class Diagnosis:
    """The doctor's JSON."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        assert done.stdout, done.stderr
        self.exit_code = done.returncode
        self.sections: list[dict[str, Any]] = json.loads(done.stdout)["sections"]

    @property
    def seconds(self) -> float:
        return sum(section["seconds"] for section in self.sections)

    def codes(self, *outcomes: str) -> list[str]:
        """The codes of the findings with these outcomes, in order."""
        return [
            finding["code"]
            for section in self.sections
            for finding in section["findings"]
            if finding["outcome"] in outcomes
        ]

    @property
    def troubles(self) -> list[str]:
        """All that is not well."""
        return self.codes("failed", "warning")

    def finding(self, code: str) -> dict[str, Any]:
        return next(
            finding
            for section in self.sections
            for finding in section["findings"]
            if finding["code"] == code
        )


@pytest.fixture(autouse=True)
def _never_too_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """What these tests plant is to be found on a busy machine too, in this process."""
    monkeypatch.setattr(load, "starved", lambda: None)


@pytest.fixture(scope="session")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with Broker(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest.fixture(scope="session")
def media_server() -> Iterator[MediaServer]:
    with MediaServer() as running:
        yield running


def new_bench(folder: Path, hub_port: int, media_url: str, room_id: str = "lung-cu") -> Bench:
    """A room whose microphone hears its loudspeaker; the daemon is not started yet."""
    room = Room(room_id, "Lũng Cú", folder)
    room.use_hub(hub_port, f"diemcau-cli-{secrets.token_hex(4)}")  # else they would be clones
    del room.devices["speaker"]["record"]
    room.devices["simulation"]["echo"] = True
    room.settings["media"] |= {"publish_url": f"{media_url}/{{meeting}}-{{room}}/whip"}
    room.settings["media"]["play_urls"] = []
    bench = Bench(room)
    bench.write_settings()
    return bench


@pytest.fixture(scope="module")
def live(
    tmp_path_factory: pytest.TempPathFactory, hub: Broker, media_server: MediaServer
) -> Iterator[Bench]:
    """One running daemon for the module; broken devices are healed after each test (`healthy`)."""
    bench = new_bench(tmp_path_factory.mktemp("room"), hub.port, media_server.url)
    bench.room.start()
    bench.room.wait_online(20)
    yield bench
    bench.room.stop()


@pytest.fixture
def healthy(live: Bench) -> Iterator[Bench]:
    """The module's room, well before and after."""
    live.heal()
    yield live
    live.heal()


@pytest.fixture
def make_bench(
    tmp_path: Path, hub: Broker, media_server: MediaServer
) -> Iterator[Callable[..., Bench]]:
    """Rooms of the test's own; started ones are stopped after it."""
    made: list[Bench] = []

    def make(hub_port: int | None = None, media_url: str | None = None) -> Bench:
        folder = tmp_path / f"room{len(made)}"
        made.append(new_bench(folder, hub_port or hub.port, media_url or media_server.url))
        return made[-1]

    yield make
    for bench in made:
        bench.room.stop()
