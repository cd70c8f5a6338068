"""diemcau-hub as its operator gets it: installed, set up, a meeting from terminal and page, and gone again.

In this order: each test goes on where the one before it ended.
"""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from shutil import rmtree
from typing import Any

import yaml

from tests.support.broker import Broker, wait_until
from tests.support.media_server import MediaServer
from tests.system.host import run, succeeds, unit
from tests.system.room import Room

SERVICE = "diemcau-conductor.service"
CONFIG = Path("/etc/diemcau-hub/conductor.yaml")
STORE = Path("/var/lib/diemcau-conductor")
PAGE = "http://127.0.0.1:8443"
PASSWORD = "rất dài và lạ"
ACCOUNT = ("diemcau-conductor", "--account", "ha", "--role", "operator")


def test_nothing_runs_before_it_is_set_up() -> None:
    assert unit("UnitFileState", SERVICE) == "disabled"
    assert unit("ActiveState", SERVICE) == "inactive"
    assert Path("/etc/diemcau-hub/secrets").stat().st_mode & 0o777 == 0o700


def test_the_sandbox_is_tight_and_whole() -> None:
    assert run("systemd-analyze", "verify", "--man=no", SERVICE) == ""
    report = run("systemd-analyze", "security", "--no-pager", SERVICE)
    overall = next(line for line in report.splitlines() if "Overall exposure level" in line)
    assert float(overall.split(":")[1].split()[0]) <= 2.0


def test_an_account_is_made_before_the_service_runs_and_without_its_keys() -> None:
    """As docs/meetings.md has it typed, with the shipped settings, which name keys that only root may read."""
    run("runuser", "-u", "diemcau-conductor", "--", *ACCOUNT, input=PASSWORD + "\n")
    run(*ACCOUNT, input=PASSWORD + "\n")
    accounts = (STORE / "accounts.json").stat()
    assert (accounts.st_uid, accounts.st_mode & 0o777) == (STORE.stat().st_uid, 0o600)


def test_it_starts_in_its_sandbox_and_serves_the_page(
    broker: Broker, media_server: MediaServer
) -> None:
    settings = yaml.safe_load(CONFIG.read_text())
    settings["hub"] = {"host": "127.0.0.1", "port": broker.port}
    address = f"{media_server.url}/{{meeting}}-{{room}}"
    settings["media"] = {"publish_url": f"{address}/whip", "play_url": f"{address}/whep"}
    CONFIG.write_text(yaml.safe_dump(settings))
    run("systemctl", "enable", "--now", SERVICE)
    assert unit("ActiveState", SERVICE) == "active"
    with urllib.request.urlopen(PAGE, timeout=60) as answer:
        assert b"<html" in answer.read()
    body = json.dumps({"name": "ha", "password": PASSWORD}).encode()
    request = urllib.request.Request(f"{PAGE}/login", body, {"Origin": PAGE})
    with urllib.request.urlopen(request, timeout=60) as answer:
        assert json.loads(answer.read())["role"] == "operator"


def test_a_meeting_by_the_commands(room: Room) -> None:
    def meetings() -> Any:
        return json.loads(run("diemcau", "meeting", "list", "--json", check=False))

    rooms = json.loads(run("diemcau", "rooms", "--json", check=False))
    assert [one["room"] for one in rooms] == [room.id]
    run("diemcau", "meeting", "start", "hop", "--room", room.id, "--chair", room.id)
    state = room.wait_for_phase("in-meeting")
    assert state["meeting"]["id"] == "hop"
    wait_until(
        lambda: succeeds("diemcau", "meeting", "show", "hop"), "nobody is missing in the meeting"
    )
    run("systemctl", "restart", SERVICE)
    assert room.state()["phase"] == "in-meeting"
    wait_until(lambda: succeeds("diemcau", "meeting", "end", "hop"), "it knows its meeting")
    room.wait_for_phase("standby")
    assert "hop" in run("diemcau", "meeting", "minutes", "hop")


def test_it_goes_without_a_trace_but_for_the_authority_of_the_rooms_certificates() -> None:
    run("diemcau", "hub", "ca")
    run("dpkg", "--purge", "diemcau-hub")
    assert not CONFIG.exists()
    assert not (CONFIG.parent / "secrets").exists()
    key = CONFIG.parent / "private/ca.key"
    assert key.exists(), "without it every room would have to be enrolled anew"
    rmtree(CONFIG.parent)
    assert not STORE.exists()
    assert not Path("/usr/lib/diemcau/agent/conductor").exists()
    assert unit("LoadState", SERVICE) == "not-found"
    assert run("diemcau", "--help")
