"""A room with a certificate gets a new one, in a meeting and without disturbing it."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.broker import REPOSITORY, Broker, Hub, wait_until
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.system.host import main_pid, run
from tests.system.installed.conftest import DEADLINE_SECONDS, SIMULATED
from tests.system.room import Room, stop

ROOM = "xa-lung-cu"


@pytest.fixture
def hub_folder(package: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The certificates of the hub, of one operator and of the room, made by the hub's tool."""
    folder = tmp_path / "hub"
    monkeypatch.setenv("DIEMCAU_HUB_FOLDER", str(folder))
    for words in (["ca"], ["enroll-hub", "127.0.0.1"], ["enroll-operator", "ha"], ["enroll", ROOM]):
        run("diemcau", "hub", *words)
    return folder


@pytest.fixture
def secure(hub_folder: Path, tmp_path: Path) -> Iterator[Broker]:
    production = REPOSITORY / "config/hub/production.conf"
    files = hub_folder / "broker"
    with Broker(tmp_path / "broker", config=production, files=files) as running:
        yield running


@pytest.fixture
def bring(hub_folder: Path, tmp_path: Path) -> Callable[[str], list[str]]:
    """Copies the room's newest certificate to a folder of the room: the words for the set up."""

    def brought(name: str) -> list[str]:
        folder = shutil.copytree(hub_folder / "rooms" / ROOM, tmp_path / name)
        files = {"--ca": "ca.pem", "--certificate": "room.pem", "--key": "room.key"}
        return [word for option, file in files.items() for word in (option, str(folder / file))]

    return brought


@pytest.fixture
def room(
    hub_folder: Path,
    secure: Broker,
    media_server: MediaServer,
    bring: Callable[[str], list[str]],
) -> Iterator[Room]:
    """Online through the rooms' door, with the hub's operator at the other one."""
    operator = hub_folder / "operators/ha"
    names = ("ca.pem", "operator.pem", "operator.key")
    with Hub(
        secure.ports[8884],
        ["diemcau/v1/#"],
        prepare=lambda client: client.tls_set(*(str(operator / name) for name in names)),
    ) as hub:
        one = Room(secure, media_server, hub, DEADLINE_SECONDS)
        one.set_up(SIMULATED, *bring("first"))
        one.wait_for_phase("standby")
        yield one
        stop()


def test_a_renewed_certificate_is_taken_after_the_meeting(room, hub_folder, secure, bring):
    (first,) = serials(hub_folder)
    with Publisher(f"{room.plays}/whip"):
        room.join()
        daemon = main_pid()
        run("diemcau", "hub", "renew", ROOM)
        assert "after the meeting" in run("diemcau", "setup", *bring("second"))
        restart(secure, room)
        assert main_pid() == daemon, "it came back with the certificate that it had"
        assert room.state()["phase"] == "in-meeting"
        room.leave()
    wait_until(lambda: main_pid() not in (0, daemon), "it starts anew after the meeting", 60)
    run("diemcau", "hub", "revoke", ROOM, "--serial", first)
    restart(secure, room)
    assert room.command("ping")["state"] == "succeeded", "only the new one opens the door now"


def serials(hub_folder: Path) -> list[str]:
    """Of the room's certificates, oldest first."""
    register = json.loads((hub_folder / "register.json").read_text())
    return [entry["serial"] for entry in register["entries"] if entry["name"] == ROOM]


def restart(broker: Broker, room: Room) -> None:
    """As after every change of the hub's; the room is out, and in again by itself."""
    session = room.state()["session"]
    broker.stop()
    broker.start()
    wait_until(lambda: room.state()["session"] not in ("", session), "the room is back", 60)
