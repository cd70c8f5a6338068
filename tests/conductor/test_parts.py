"""The conductor's journal on a bad disk, its tokens, its settings file, and bytes from strangers."""

from __future__ import annotations

import os
import re
import sqlite3
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from agent.conductor.core.model.acts import StartMeeting
from agent.conductor.core.model.entries import Acted, Closed, Entered, Entry
from agent.conductor.core.model.orders import JoinOrder, Publish
from agent.conductor.core.model.seen import SeenAgenda, SeenState
from agent.conductor.core.rooms import SeenRoom
from agent.conductor.settings import load
from agent.conductor.store.journal import Journal
from agent.conductor.tokens import Tokens
from agent.conductor.wire import HubTopics, encode_order
from agent.core.model.agenda import Agenda, encode_agenda
from agent.core.model.command_codec import command_from
from agent.core.model.commands import Join, Meeting, Origin, Source
from agent.errors import ConfigError, JournalError
from agent.hub.signature import Signatures
from tests.support.media_tokens import TokenCheck

NOW = datetime(2026, 11, 22, 7, 15, tzinfo=UTC)
START = Entry(NOW, Acted(1, StartMeeting("hop", ["a"], chair="a")), "ha")
HUB = Path(__file__).parents[2] / "config/hub"


def order() -> JoinOrder:
    return JoinOrder(
        Meeting("hop"),
        Publish("https://hub/hop/a/whip", picture="small"),
        [Source("https://hub/hop/b/whep", label="B")],
        "live",
        floor="request",
    )


def test_what_is_written_is_there_after_a_restart_and_closed_meetings_are_not(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    journal.write([START, Entry(NOW, Entered(1, "a"))])
    instance = journal.instance
    journal.close()
    journal = Journal(tmp_path)
    assert journal.instance == instance
    assert next(iter(journal.open_entries())) == START
    journal.write([Entry(NOW, Closed(1))])
    assert list(journal.open_entries()) == []
    assert journal.last_number() == 1
    assert len(journal.entries_of(1)) == 3


def test_a_disk_that_is_full_refuses_and_takes_what_waited_when_it_can(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal._connection.execute("PRAGMA max_page_count = 1")
    big = Entry(NOW, Acted(1, StartMeeting("hop", ["a"] * 4000, chair="a")), "ha")
    with pytest.raises(JournalError):
        journal.write([big])
    assert journal.trouble
    journal.write_later([big])
    assert journal.entries_of(1) == [big]
    journal._connection.execute("PRAGMA max_page_count = 1000000")
    journal.write([START])
    assert journal.trouble == ""
    assert journal.entries_of(1) == [big, START]


def test_a_disk_that_cannot_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.write([START])
    journal.close()

    def read_only(path: Path) -> sqlite3.Connection:
        raise sqlite3.OperationalError("attempt to write a readonly database")

    monkeypatch.setattr("agent.conductor.store.journal._open", read_only)
    journal = Journal(tmp_path)
    assert "readonly" in journal.trouble
    assert list(journal.open_entries()) == [START]
    with pytest.raises(JournalError):
        journal.write([START])


def test_tokens_are_for_this_room_and_direction_and_hold_by_the_served_key(tmp_path: Path) -> None:
    tokens = Tokens(tmp_path / "key.jwk", 600)
    filled = tokens.fill("a", order(), NOW.timestamp())
    assert isinstance(filled, JoinOrder)
    keys = KeySet.import_key_set(msgspec.json.decode(tokens.jwks()))
    assert b'"d"' not in tokens.jwks(), "the private part stays here"
    publish = jwt.decode(filled.publish.token or "", keys, algorithms=["ES256"]).claims
    read = jwt.decode(filled.play[0].token or "", keys, algorithms=["ES256"]).claims
    assert publish["mediamtx_permissions"] == [{"action": "publish", "path": "hop/a"}]
    assert read["mediamtx_permissions"] == [{"action": "read", "path": "hop/b"}]
    assert publish["exp"] - NOW.timestamp() == 600
    again = Tokens(tmp_path / "key.jwk", 600)
    assert again.jwks() == tokens.jwks()


def test_a_media_server_takes_a_token_for_what_it_is_and_no_other(tmp_path: Path) -> None:
    tokens, jwks = Tokens(tmp_path / "key.jwk", 600), tmp_path / "jwks.json"
    jwks.write_bytes(tokens.jwks())
    check = TokenCheck(jwks.as_uri())
    now = datetime.now(UTC).timestamp()

    def publishing(made: Tokens, at: float) -> str:
        filled = made.fill("a", order(), at)
        assert isinstance(filled, JoinOrder)
        return filled.publish.token or ""

    good, old = publishing(tokens, now), publishing(Tokens(tmp_path / "key.jwk", 600), now - 700)
    assert check.refusal("whip", "hop/a", good) == ""
    assert "not for publish" in check.refusal("whip", "hop/b", good), "another room's"
    assert "not for read" in check.refusal("whep", "hop/a", good)
    assert "ended" in check.refusal("whip", "hop/a", old)
    foreign = publishing(Tokens(tmp_path / "other.jwk", 600), now)
    assert check.refusal("whip", "hop/a", foreign)
    assert check.refusal("whip", "hop/a", good[:-4] + "AAAA")
    assert check.refusal("whip", "hop/a", "")


def test_an_order_is_a_command_as_rooms_read_it() -> None:
    fields = msgspec.json.decode(encode_order("c1-1-join-1", order()))
    decoded = command_from(fields, "join", Origin.HUB, lambda: "x")
    assert isinstance(decoded.command.body, Join)
    assert decoded.command.body.floor == "request"
    assert decoded.command.id == "c1-1-join-1"


def test_what_strangers_say_is_cleaned_or_not_read() -> None:
    topics = HubTopics("diemcau/v1", "hub")
    state = {"room": "a", "connection": "online", "session": "s", "phase": "standby"}

    def decode(document: object, room: str = "a") -> object:
        payload = document if isinstance(document, bytes) else msgspec.json.encode(document)
        return topics.decode(f"diemcau/v1/room/{room}/state", payload)

    said = decode({**state, "name": "\x1b[2J\u202eevil"})
    assert isinstance(said, SeenState)
    assert said.name.isprintable()
    assert decode(state, "b") is None, "a room speaks for itself alone"
    for bad in (b"", b"\xff", b"[" * 100_000, {**state, "phase": "dancing"}, 7):
        assert decode(bad) is None


@pytest.mark.parametrize(("connection", "shown"), [("online", True), ("lost", False)])
def test_a_camera_that_the_people_switched_off_is_shown_while_the_room_is_there(
    connection: str, shown: bool
) -> None:
    said = {"room": "a", "connection": connection, "session": "s", "phase": "in-meeting"}
    payload = msgspec.json.encode({**said, "camera": "off", "camera_off_by_hand": True})
    state = HubTopics("diemcau/v1", "hub").decode("diemcau/v1/room/a/state", payload)
    assert isinstance(state, SeenState)
    room = SeenRoom("a")
    room.take(state)
    assert room.view().camera_off_by_hand is shown


@pytest.mark.parametrize("required", [False, True])
def test_an_unsigned_agenda_counts_only_where_nothing_is_signed(required: bool) -> None:
    topics = HubTopics("diemcau/v1", "hub", Signatures("/nonexistent", required=required))
    document = Agenda(1, 1, NOW, NOW + timedelta(days=1), [])
    said = topics.decode("diemcau/v1/group/xa/agenda", encode_agenda(document))
    assert said == (None if required else SeenAgenda("group/xa", document))
    assert topics.decode("diemcau/v1/room/a/agenda", b"nonsense") is None
    assert isinstance(topics.decode("diemcau/v1/room/a/agenda", b""), SeenAgenda) is not required


def test_the_shipped_settings_are_whole() -> None:
    settings = load(HUB / "conductor.yaml", check_files=False)
    assert settings.console is not None
    assert settings.media.tokens


def test_the_page_is_not_served_in_the_clear(tmp_path: Path) -> None:
    file = tmp_path / "conductor.yaml"
    text = (HUB / "conductor.yaml").read_text("utf-8")
    file.write_text(text.replace("#host: 127.0.0.1", "host: 0.0.0.0"))
    with pytest.raises(ConfigError, match=r"console\.host"):
        load(file, check_files=False)


HARDENING = re.compile(
    r"(Protect|Restrict|Private|NoNew|Lock|MemoryDeny|Capability|SystemCall|Keyring|RemoveIPC|UMask|DevicePolicy)"
)


def hardening(service: str) -> dict[str, set[str]]:
    """What the unit forbids itself: directive -> its words."""
    found: dict[str, set[str]] = {}
    for line in (HUB.parents[1] / "systemd" / service).read_text("utf-8").splitlines():
        if HARDENING.match(line):
            name, _, value = line.partition("=")
            found.setdefault(name, set()).update(value.split())
    return found


def test_the_conductor_s_service_may_no_more_than_the_room_s() -> None:
    room, conductor = hardening("diemcau-agent.service"), hardening("diemcau-conductor.service")
    assert len(room) > 15
    assert conductor.keys() >= room.keys()
    families = "RestrictAddressFamilies"
    assert conductor.pop(families) <= room.pop(families)
    calls = "SystemCallFilter"
    assert conductor.pop(calls) == room.pop(calls) - {"setpriority"}  # it makes no pictures
    assert {name: conductor[name] for name in room} == room


def test_a_key_that_the_disk_did_not_take_is_made_anew_at_the_next_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An empty one, left by a power cut, would keep the conductor from starting."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    file = tmp_path / "tokens.json"
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ConfigError, match="No space left"):
            Tokens(file, 600)
    assert not file.exists()
    Tokens(file, 600)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
