"""`diemcau hub` as an operator uses it, from the first CA to a signed command that a room takes."""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from agent import settings
from agent.cli.app import run_tool
from agent.core.model.events import CommandReceived
from agent.enrolment.authority import Authority
from agent.hub.messages import Incoming, decode_command
from agent.hub.signature import Signatures
from agent.hub.topics import Topics

Tool = Callable[..., str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "diemcau-hub"


@pytest.fixture
def hub(capsys: pytest.CaptureFixture[str]) -> Tool:
    """Runs `diemcau hub ...`; returns what it printed (on stderr, if it was to fail)."""

    def run(*arguments: str, code: int = 0) -> str:
        exit_code = run_tool(["hub", *arguments])
        printed = capsys.readouterr()
        assert exit_code == code, printed
        return printed.err if code else printed.out

    return run


def test_from_the_first_ca_to_a_revoked_room(hub: Tool, folder: Path) -> None:
    where = ("--folder", str(folder))
    assert "made the CAs" in hub("ca", *where)
    hub("enroll-hub", "hub.example.org", "10.0.0.5", *where)
    said = hub("enroll", "thon-5", "--group", "xa-ba-vi", *where)
    assert f"{folder}/rooms/thon-5/" in said
    hub("enroll-operator", "ha", *where)
    hub("renew", "operator.ha", *where)
    lines = hub("list", *where).splitlines()[1:-1]
    assert [line.lstrip("* ").split()[:2] for line in lines] == [
        ["hub", "hub.example.org"],
        ["room", "thon-5"],
        ["operator", "operator.ha"],
        ["operator", "operator.ha"],
    ]
    assert "729 days" in lines[1]
    assert lines[1].startswith("*")
    assert lines[1].endswith("xa-ba-vi")
    assert [line[0] for line in lines[2:]] == [" ", "*"]  # the newest counts
    assert "restart mosquitto" in hub("revoke", "thon-5", *where)
    assert "revoked" in hub("list", *where).splitlines()[2]
    listed = json.loads(hub("list", "--json", *where))
    assert [one["name"] for one in listed][:2] == ["hub.example.org", "thon-5"]
    assert "nothing is left to revoke" in hub("revoke", "thon-5", *where, code=2)
    assert {one.name for one in (folder / "broker").iterdir()} == {
        *("acl", "ca.pem", "ca.crl", "operators-ca.pem", "operators-ca.crl", "hub.pem", "hub.key")
    }


def test_who_is_enrolled_again_without_its_groups_is_told(hub: Tool, folder: Path) -> None:
    where = ("--folder", str(folder))
    hub("ca", *where)
    assert "groups" not in hub("enroll", "thon-5", "--group", "xa-ba-vi", *where)
    assert "groups" not in hub("enroll", "thon-5", "--group", "xa-ba-vi", *where)
    assert "was in the groups xa-ba-vi and is in none from now on" in hub(
        "enroll", "thon-5", *where
    )
    assert "groups" not in hub("enroll", "thon-5", "--group", "xa-ba-vi", *where)


def test_the_list_says_what_has_expired(hub: Tool, folder: Path) -> None:
    Authority(folder, lambda: datetime.now(UTC) - timedelta(days=800)).create("diemcau/v1")
    Authority(folder, lambda: datetime.now(UTC) - timedelta(days=731)).enrol_room("thon-5", [])
    Authority(folder).enrol_room("thon-6", [])
    old, new = hub("list", "--folder", str(folder)).splitlines()[1:3]
    assert re.search(r"thon-5 +expired \d{4}-", old)
    assert re.search(r"thon-6 +until \d{4}-.*, 729 days", new)


def test_mistakes_are_named_and_change_nothing(hub: Tool, folder: Path) -> None:
    where = ("--folder", str(folder))
    assert "diemcau hub ca" in hub("enroll", "thon-5", *where, code=2)
    hub("ca", *where)
    assert "there is a CA already" in hub("ca", *where, code=2)
    assert "'Thôn 5'" in hub("enroll", "Thôn 5", *where, code=2)
    assert hub("list", *where) == ""


def test_a_signed_command_from_the_terminal_is_taken(hub: Tool, folder: Path) -> None:
    what = ("--type", "join", "--room", "*", "--owner", "Hà", "--folder", str(folder))
    hub("key", "ha-2026", *what)
    assert "there is such a key" in hub("key", "ha-2026", *what, code=2)
    private = folder / "keys/ha-2026.jwk"
    assert private.stat().st_mode & 0o777 == 0o600
    token = hub("sign", "join", '{"meeting":{"id":"m"}}', "--to", "room/r1", "--key", str(private))
    incoming = Incoming("diemcau/v1/room/r1/cmd/join", token.encode())
    topics = Topics("diemcau/v1", settings.Room(id="r1"))
    event = decode_command(incoming, topics, Signatures(folder / "trusted-keys", required=True))
    assert isinstance(event, CommandReceived), event
    assert event.command.sender == "key ha-2026"


@pytest.mark.parametrize(
    ("type", "fields", "culprit"),
    [
        ("dance", "{}", "unknown command 'dance'"),
        ("join", "{}", "meeting"),
        ("join", "{meeting}", "not JSON"),
        ("mute", '{"colour":1}', "colour: unknown field"),
    ],
)
def test_what_a_room_would_refuse_is_not_signed(
    hub: Tool, folder: Path, type: str, fields: str, culprit: str
) -> None:
    hub("key", "k", "--type", "*", "--room", "*", "--owner", "Hà", "--folder", str(folder))
    key = str(folder / "keys/k.jwk")
    assert culprit in hub("sign", type, fields, "--to", "room/r1", "--key", key, code=2)


@pytest.mark.parametrize("address", ["r1", "room/Thôn 5", "rooms/r1", "room/"])
def test_an_address_that_no_topic_has_is_not_signed(hub: Tool, folder: Path, address: str) -> None:
    hub("key", "k", "--type", "*", "--room", "*", "--owner", "Hà", "--folder", str(folder))
    key = str(folder / "keys/k.jwk")
    assert f"--to {address}: expected" in hub("sign", "mute", "--to", address, "--key", key, code=2)


def test_a_lifetime_that_no_room_takes_is_not_signed(hub: Tool, folder: Path) -> None:
    hub("key", "k", "--type", "*", "--room", "*", "--owner", "Hà", "--folder", str(folder))
    key = str(folder / "keys/k.jwk")
    a_day = ("sign", "mute", "--to", "room/r1", "--key", key, "--seconds")
    assert hub(*a_day, "86400")
    assert "--seconds" in hub(*a_day, "86401", code=2)


def test_a_key_file_that_is_none_is_named(hub: Tool, folder: Path) -> None:
    said = hub("sign", "mute", "--to", "room/r1", "--key", "/nowhere", code=2)
    assert "/nowhere: no private key" in said
    assert "Errno" not in said


def test_a_room_moves_to_another_group_with_the_certificate_that_it_has(
    hub: Tool, folder: Path
) -> None:
    where = ("--folder", str(folder))
    hub("ca", *where)
    hub("enroll", "thon-5", "--group", "xa-ba-vi", *where)
    before = (folder / "rooms/thon-5/room.pem").read_bytes()
    said = hub("groups", "thon-5", "--group", "huyen", *where)
    assert "was in the groups xa-ba-vi and is in huyen from now on" in said
    assert (folder / "rooms/thon-5/room.pem").read_bytes() == before
    acl = (folder / "broker/acl").read_text()
    assert "group/huyen/cmd/+" in acl
    assert "group/xa-ba-vi/" not in acl
    assert "nobody of that name" in hub("groups", "thon-6", *where, code=2)


def test_all_rooms_of_a_table_are_enrolled_or_none(hub: Tool, folder: Path, tmp_path: Path) -> None:
    where = ("--folder", str(folder))
    hub("ca", *where)
    table = tmp_path / "rooms.csv"
    table.write_text("id;name;groups\nthon-5;Thôn 5;xa-ba-vi huyen\nThôn 6;Thôn 6;\n", "utf-8")
    assert "rooms.csv:3: 'Thôn 6' is no id" in hub("enroll", str(table), *where, code=2)
    assert not (folder / "rooms/thon-5").exists()
    assert hub("list", *where) == ""
    table.write_text("id;name;groups\nthon-5;Thôn 5;xa-ba-vi huyen\nthon-6;Thôn 6;\n", "utf-8")
    assert "2 rooms are enrolled" in hub("enroll", str(table), "--tar", *where)
    with tarfile.open(folder / "rooms/thon-5.tar") as archive:
        packed = archive.getnames()
    assert packed == [
        "thon-5",
        "thon-5/ca.pem",
        "thon-5/room.key",
        "thon-5/room.pem",
    ]
    assert (folder / "rooms/thon-5.tar").stat().st_mode & 0o777 == 0o600
    assert "group/huyen/cmd/+" in (folder / "broker/acl").read_text()


def test_a_key_signs_nothing_that_rooms_would_refuse(hub: Tool, folder: Path) -> None:
    where = ("--folder", str(folder))
    hub("key", "ha-2026", "--type", "join", "--room", "thon-5", "--owner", "Hà", *where)
    key = ("--key", str(folder / "keys/ha-2026.jwk"))
    assert "may give join, not mute" in hub("sign", "mute", "--to", "room/thon-5", *key, code=2)
    join = ("join", '{"meeting": {"id": "giao-ban"}}')
    assert "may not address room/thon-6" in hub("sign", *join, "--to", "room/thon-6", *key, code=2)
    assert hub("sign", *join, "--to", "room/thon-5", *key).count(".") == 2
