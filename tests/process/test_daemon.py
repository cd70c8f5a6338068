"""The daemon as systemd and a technician see it: start, stop, exit codes, watchdog, odd beginnings."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from tests.process.conftest import Site
from tests.support.broker import Broker, Hub, free_port, wait_until
from tests.support.installed import (
    NEVER_IN_THE_DAEMON,
    PYTHON,
    SHOW_IMPORTS,
    as_installed,
    imported,
)
from tests.support.room import Room


class Manager:
    """systemd's end of NOTIFY_SOCKET."""

    def __init__(self, path: Path, watchdog_seconds: float) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(path))
        self.environment = {
            **os.environ,
            "NOTIFY_SOCKET": str(path),
            "WATCHDOG_USEC": str(int(watchdog_seconds * 1_000_000)),
        }

    def hear(self, seconds: float) -> str | None:
        """The next message, None if there is none for so long."""
        self._socket.settimeout(seconds)
        try:
            return self._socket.recv(4096).decode()
        except TimeoutError:
            return None

    def wait_for(self, message: str, seconds: float = 20) -> None:
        wait_until(lambda: (self.hear(seconds) or "").startswith(message), message, seconds)

    def forget(self) -> None:
        """Throw away what was said up to now."""
        while self.hear(0.001):
            pass

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(tmp_path / "notify", watchdog_seconds=0.4)
    yield manager
    manager.close()


def test_sigterm_in_a_meeting_ends_all_of_it_in_good_order(site: Site, media_server):
    assert site.join()["state"] == "succeeded"
    process = site.media_process()
    published = site.room.settings["media"]["publish_url"].split("/")[3]
    name = published.format(meeting="giao-ban")
    assert name in [session["name"] for session in media_server.sessions()]
    assert site.room.stop() == 0
    assert site.wait_state(connection="offline")["camera"] == "off"
    assert not process.is_running()
    assert name not in [session["name"] for session in media_server.sessions()], "DELETE was sent"
    assert not Path(site.room.settings["control"]["socket"]).exists()
    assert site.room.open_devices() == []


def test_systemd_hears_ready_then_the_watchdog_then_stopping(room: Room, manager: Manager):
    room.start(manager.environment)
    manager.wait_for("READY=1")
    room.wait_online()
    for _ in range(5):
        manager.wait_for("WATCHDOG=1", seconds=5)
    room.stop()
    manager.wait_for("STOPPING=1")


def test_a_wedged_loop_starves_the_watchdog(room: Room, manager: Manager, broker: Broker):
    """The display's log becomes a pipe that nobody reads: the loop hangs, all threads live on."""
    room.start(manager.environment)
    room.wait_online()
    manager.wait_for("WATCHDOG=1")
    pipe = room.folder / "display.log"
    os.mkfifo(pipe)
    root = room.settings["hub"]["topic_root"]
    with Hub(broker.port, []) as hub:
        hub.send(f"{root}/room/{room.id}/cmd/display", {"id": "wedge", "power": "on"})
        wait_until(lambda: manager.hear(3) is None, "nothing is heard for three seconds", 60)
        assert psutil.pid_exists(room.pid)
        pipe.read_text()
        manager.wait_for("WATCHDOG=1", seconds=10)


def test_without_a_broker_the_daemon_is_ready_and_connects_when_there_is_one(
    room: Room, manager: Manager, tmp_path: Path
):
    late = Broker(tmp_path / "late-broker")
    room.use_hub(late.port, "test")
    room.start(manager.environment)
    manager.wait_for("READY=1")
    link = room.ask(type="status")["link"]
    assert link["up"] is False
    assert link["text"], "it says why"
    with late:
        room.wait_online(40)


def test_without_a_media_server_a_join_fails_and_says_where_it_looked(site: Site):
    nowhere = f"http://127.0.0.1:{free_port()}/x/whip"
    # a slow machine starts the media process in it
    ack = site.join(publish={"url": nowhere}, timeout_seconds=12)
    assert (ack["state"], ack["code"]) == ("failed", "media-unreachable")
    assert nowhere in ack["text"]
    site.wait_state(phase="standby", camera="off", microphone="off")
    assert site.children() == []


def test_without_a_camera_the_room_joins_with_sound_and_says_so(room: Room, broker: Broker):
    room.folder.mkdir(parents=True)
    (room.folder / "camera").write_text("unplugged")
    root = room.settings["hub"]["topic_root"]
    with Hub(broker.port, [f"{root}/#"]) as hub:
        room.start()
        room.wait_online()
        site = Site(room, hub, f"{root}/room/{room.id}")
        wait_until(lambda: hub.on(f"{root}/room/{room.id}/health"), "health")
        camera = site.health()["devices"]["camera"]
        assert (camera["status"], camera["text"][:8]) == ("absent", "Camera: ")
        ack = site.join()
        assert ack["state"] == "succeeded"
        assert "camera" in str(ack["detail"])
        assert site.wait_state(phase="in-meeting")["camera"] == "off"


@pytest.mark.parametrize(
    ("break_settings", "problems"),
    [
        (
            lambda s: s["hub"].update(keepalive_second=5, port="x"),
            ["hub.keepalive_second: unknown key; did you mean keepalive_seconds?", "hub.port: "],
        ),
        (lambda s: s["room"].update(id="Phòng"), ["room.id: "]),
    ],
)
def test_broken_settings_end_it_with_2_and_every_problem(
    room: Room, break_settings: Callable, problems: list[str]
):
    break_settings(room.settings)
    room.start()
    assert room.wait(60) == 2
    log = room.log.read_text()
    for problem in problems:
        assert problem in log
    assert "Traceback" not in log


def test_a_missing_settings_file_ends_it_with_2_and_is_named(tmp_path: Path):
    missing = tmp_path / "nowhere.yaml"
    run = subprocess.run(
        [sys.executable, "-m", "agent", "run", "--config", str(missing)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert str(missing) in run.stderr
    assert "Traceback" not in run.stderr


def test_a_secret_that_cannot_be_read_ends_it_with_a_line(room: Room):
    room.settings["media"]["token_file"] = str(room.folder / "no-such-token")
    room.start()
    assert room.wait(60) in (1, 2)
    log = room.log.read_text()
    assert "no-such-token" in log
    assert "Traceback" not in log


def test_a_token_that_is_no_text_ends_it_with_a_line(room: Room):
    token = room.folder / "token"
    room.folder.mkdir(parents=True, exist_ok=True)
    token.write_bytes(b"\xff\xfe")
    token.chmod(0o600)
    room.settings["media"]["token_file"] = str(token)
    room.start()
    assert room.wait(60) in (1, 2)
    log = room.log.read_text()
    assert f"media.token_file: {token} cannot be read" in log
    assert "Traceback" not in log


def test_a_second_daemon_is_refused_and_the_first_keeps_its_hub(site: Site):
    file = site.room.folder / "agent.yaml"
    run = subprocess.run(
        [sys.executable, "-m", "agent", "run", "--config", str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 1
    assert site.room.open_devices() == ["display", "panel"], "the first one's are untouched"
    assert "a daemon serves it already; stop that one first" in run.stderr
    assert site.command("ping")["state"] == "succeeded"
    assert {state["connection"] for state in site.states()} == {"online"}


def test_sigusr1_writes_every_thread_s_stack_and_changes_nothing(site: Site):
    in_loop = re.compile(r"loop\.py\", line \d+ in run")

    def told() -> bool:
        # faulthandler takes no lock: a stack that is just changing may come out without its lower frames.
        os.kill(site.room.pid, signal.SIGUSR1)
        return in_loop.search(site.room.log.read_text("utf-8", "replace")) is not None

    wait_until(told, "the stacks stand in the log")
    assert site.command("ping")["state"] == "succeeded"


def test_the_daemon_never_imports_what_it_must_not_hold_in_memory(room: Room, broker: Broker):
    root = room.settings["hub"]["topic_root"]
    with Hub(broker.port, [f"{root}/#"]) as hub:
        room.folder.mkdir(parents=True, exist_ok=True)
        room.start(as_installed(room.folder) | SHOW_IMPORTS, python=PYTHON)
        room.wait_online()
        site = Site(room, hub, f"{root}/room/{room.id}")
        room.ask(type="status")
        assert site.command("report")["state"] == "succeeded"
        room.stop()
    loaded = imported(room.log.read_text())
    assert {"agent.devices.simulation", "paho", "msgspec"} <= loaded
    assert not loaded & NEVER_IN_THE_DAEMON
    assert "agent.devices.camera.encoder" not in loaded, "only the media process opens a camera"
