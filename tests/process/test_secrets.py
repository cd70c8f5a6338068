"""Planted secrets, a whole meeting and a failed one: nothing that anybody can look at shows them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.support.broker import Broker, Hub
from tests.support.media_server import MediaServer
from tests.support.room import Room
from tests.support.waiting import wait_for

ROOT = "diemcau/test"
ROOM = f"{ROOT}/room/r1"
PASSWORD = "planted-hub-password"
SETTINGS_TOKEN = "planted-settings-token"
COMMAND_TOKEN = "planted-command-token"
URL_SECRET = "planted-in-the-url"
PLANTED = (PASSWORD, SETTINGS_TOKEN, COMMAND_TOKEN, URL_SECRET)
IN_SECONDS = 30.0


@pytest.fixture
def credentials(tmp_path: Path) -> Path:
    """The folder that systemd would make for LoadCredential= (systemd.exec(5))."""
    folder = tmp_path / "credentials"
    folder.mkdir(mode=0o700)
    for name, secret in (("hub-password", PASSWORD), ("media-token", SETTINGS_TOKEN)):
        (folder / name).write_text(secret + "\n")
        (folder / name).chmod(0o400)
    return folder


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    passwords = tmp_path / "passwords"
    for user in ("r1", "hub"):
        create = [] if passwords.exists() else ["-c"]
        subprocess.run(["mosquitto_passwd", "-b", *create, passwords, user, PASSWORD], check=True)
    passwords.chmod(0o644)
    extra = ["allow_anonymous false", f"password_file {passwords}"]
    with Broker(tmp_path / "hub", extra) as broker:
        yield broker


@pytest.fixture
def hub(broker: Broker) -> Iterator[Hub]:
    def log_in(client: object) -> None:
        client.username_pw_set("hub", PASSWORD)  # type: ignore[attr-defined]

    with Hub(broker.port, [f"{ROOM}/{kind}/#" for kind in ("ack", "event")], log_in) as hub:
        yield hub


def shown_by(root_pid: int) -> str:
    """Arguments and environment of the daemon and of all it started, as `ps` would show them."""
    processes = [psutil.Process(root_pid)]
    processes += processes[0].children(recursive=True)
    return "\n".join(f"{process.cmdline()} {process.environ()}" for process in processes)


def command(room: Room, *arguments: str) -> str:
    """What the technician's tool prints."""
    settings = str(room.folder / "agent.yaml")
    words = [sys.executable, "-m", "agent", "--config", settings, *arguments]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=False)
    return done.stdout + done.stderr


def bundle(room: Room) -> str:
    """All of the support bundle, unpacked."""
    path = room.folder / "bundle.tar.gz"
    command(room, "report", "--yes", "--out", str(path))
    with tarfile.open(path) as archive:
        files = [archive.extractfile(member) for member in archive if member.isfile()]
        return "".join(file.read().decode(errors="replace") for file in files if file)


def test_planted_secrets_are_shown_nowhere(
    tmp_path: Path, broker: Broker, hub: Hub, credentials: Path
) -> None:
    room = Room("r1", "Phòng thử", tmp_path / "room")
    room.use_hub(broker.port, ROOT)
    room.settings["hub"] |= {"username": "r1", "password_file": "hub-password"}
    with MediaServer(token=COMMAND_TOKEN) as server:
        room.meet(room, server.url)
        room.settings["media"]["token_file"] = "media-token"
        room.start(environment={**os.environ, "CREDENTIALS_DIRECTORY": str(credentials)})
        try:
            room.wait_online()
            views = meet_and_fail(room, hub, server)
            views["tool"] = "".join(
                command(room, *words) for words in (["status"], ["config", "show"], ["audit"])
            )
            views["bundle"] = bundle(room)
        finally:
            room.stop()
    views["log"] = room.log.read_text()
    views["hub"] = "".join(f"{seen.topic} {seen.payload!r}\n" for seen in hub.seen)
    store = Path(room.settings["store"]["path"])
    views["disk"] = b"".join(path.read_bytes() for path in store.iterdir()).decode(errors="replace")
    found = {name: [s for s in PLANTED if s in view] for name, view in views.items()}
    assert {name: secrets for name, secrets in found.items() if secrets} == {}
    assert all(len(view) > 100 for view in views.values()), "every view shows something"


def meet_and_fail(room: Room, hub: Hub, server: MediaServer) -> dict[str, str]:
    """A meeting with tokens in the command, one that is refused, one that reaches nobody."""
    url = f"{server.url}/giao-ban-r1"
    good = {"url": f"{url}/whip?key={URL_SECRET}", "token": COMMAND_TOKEN}
    play = {"url": f"{url}/whep?key={URL_SECRET}", "token": COMMAND_TOKEN}
    nobody = {"url": f"http://u:{URL_SECRET}@127.0.0.1:1/whip?k={URL_SECRET}", "token": "t"}
    join(hub, "good", "succeeded", publish=good, play=[play])
    figures = "frames_per_second"
    wait_for(lambda: figures in str(room.ask(type="status")), IN_SECONDS, "figures of the meeting")
    views = {"processes": shown_by(room.pid), "status": str(room.ask(type="status"))}
    leave(hub, "leave")
    join(hub, "refused", "failed")  # the settings' token is not what this server wants
    join(hub, "nobody", "failed", publish=nobody, play=[], timeout_seconds=3)
    views["status"] += str(room.ask(type="status"))
    leave(hub, "no-more")  # until then it is tried again, and kept for that as in a meeting
    return views


def leave(hub: Hub, command_id: str) -> None:
    hub.send(f"{ROOM}/cmd/leave", {"id": command_id})
    hub.wait_for(f"{ROOM}/ack/{command_id}", lambda ack: ack["state"] == "succeeded", IN_SECONDS)


def join(hub: Hub, command_id: str, state: str, **fields: object) -> None:
    fields = {"id": command_id, "meeting": {"id": "giao-ban"}, **fields}
    hub.send(f"{ROOM}/cmd/join", fields)
    hub.wait_for(f"{ROOM}/ack/{command_id}", lambda ack: ack["state"] == state, IN_SECONDS)
