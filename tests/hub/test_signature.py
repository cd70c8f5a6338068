"""Who may sign what, and everything that can be wrong with a signature."""

from __future__ import annotations

import base64
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import settings
from agent.core.model.commands import Code
from agent.core.model.events import CommandReceived, CommandRefused
from agent.errors import ConfigError
from agent.hub.messages import Incoming, decode_command
from agent.hub.signature import Signatures, Signer, make_key
from agent.hub.topics import Topics
from agent.hub.trusted_keys import TrustedKey

TOPICS = Topics("diemcau/v1", settings.Room(id="thon-5", groups=["xa-ba-vi"]))
ISSUED = datetime(2026, 11, 22, 7, tzinfo=UTC)


def fields(**changes: Any) -> bytes:
    """A whole signed `unmute` for this room; a change to None leaves the field out."""
    whole = {
        "id": "c1",
        "type": "unmute",
        "to": "room/thon-5",
        "issued": ISSUED,
        "expires": ISSUED + timedelta(minutes=5),
        **changes,
    }
    return msgspec.json.encode({name: value for name, value in whole.items() if value is not None})


def trust(folder: Path, signer: Signer, public: TrustedKey) -> Signer:
    folder.mkdir(exist_ok=True)
    (folder / f"{signer.key_id}.json").write_bytes(msgspec.json.encode(public))
    return signer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "trusted-keys"


@pytest.fixture
def signer(folder: Path) -> Signer:
    return trust(folder, *make_key("ha-2026", "Hà", ["unmute", "join"], ["thon-5"], ["all"]))


def decode(
    folder: Path,
    payload: str | bytes,
    topic: str = "room/thon-5/cmd/unmute",
    *,
    required: bool = True,
) -> CommandReceived | CommandRefused:
    data = payload if isinstance(payload, bytes) else payload.encode()
    incoming = Incoming(f"diemcau/v1/{topic}", data)
    return decode_command(incoming, TOPICS, Signatures(folder, required=required))


def refused(event: CommandReceived | CommandRefused) -> CommandRefused:
    assert isinstance(event, CommandRefused), event
    return event


@pytest.mark.parametrize("required", [True, False])
def test_a_signed_command_is_taken_and_its_key_is_the_sender(
    folder: Path, signer: Signer, required: bool
) -> None:
    event = decode(folder, signer.sign(fields()) + "\n", required=required)
    assert isinstance(event, CommandReceived)
    assert (event.command.id, event.command.type) == ("c1", "unmute")
    assert event.command.sender == "key ha-2026"
    assert event.command.expires == ISSUED + timedelta(minutes=5)
    assert event.unknown_fields == []


@pytest.mark.parametrize(("before", "after"), [("\ufeff", ""), ("", "\0"), ("", "\n\0")])
def test_what_stands_around_a_signed_command_is_no_part_of_it(
    folder: Path, signer: Signer, before: str, after: str
) -> None:
    event = decode(folder, f"{before}{signer.sign(fields())}{after}")
    assert isinstance(event, CommandReceived)


def test_a_group_is_addressed_like_a_room(folder: Path, signer: Signer) -> None:
    event = decode(folder, signer.sign(fields(to="group/all")), "group/all/cmd/unmute")
    assert isinstance(event, CommandReceived)


def test_unsigned_is_refused_only_where_signatures_are_required(
    folder: Path, signer: Signer
) -> None:
    event = refused(decode(folder, b'{"id":"c1"}'))
    assert (event.code, event.id) == (Code.UNSIGNED, "c1")
    assert isinstance(decode(folder, b"{}", required=False), CommandReceived)


def test_a_key_that_nobody_trusts_is_refused(folder: Path, signer: Signer) -> None:
    stranger, _ = make_key("stranger", "?", ["*"], ["*"], ["*"])
    event = refused(decode(folder, stranger.sign(fields())))
    assert event.code is Code.BAD_SIGNATURE
    assert "stranger" in event.text
    liar = Signer("ha-2026", stranger.key)
    assert refused(decode(folder, liar.sign(fields()))).code is Code.BAD_SIGNATURE
    climber = Signer("../trusted-keys/ha-2026", signer.key)
    assert refused(decode(folder, climber.sign(fields()))).code is Code.BAD_SIGNATURE


def test_an_altered_command_is_refused(folder: Path, signer: Signer) -> None:
    header, payload, signature = signer.sign(fields()).split(".")
    other = base64.urlsafe_b64encode(fields(id="c2")).rstrip(b"=").decode()
    for forged in (f"{header}.{other}.{signature}", f"{header}.{payload}.{signature[:-6]}AAAAAA"):
        event = refused(decode(folder, forged))
        assert (event.code, event.id) == (Code.BAD_SIGNATURE, None)


def test_a_signature_by_no_algorithm_is_none(folder: Path, signer: Signer) -> None:
    for algorithm in ("none", "HS256"):
        header = json.dumps({"alg": algorithm, "kid": "ha-2026"}).encode()
        parts = [
            base64.urlsafe_b64encode(one).rstrip(b"=").decode() for one in (header, fields(), b"x")
        ]
        assert refused(decode(folder, ".".join(parts))).code is Code.BAD_SIGNATURE


@pytest.mark.parametrize(
    ("changes", "topic", "culprit"),
    [
        ({"to": "room/thon-6"}, "room/thon-5/cmd/unmute", "it is for room/thon-6"),
        ({"to": "group/all"}, "room/thon-5/cmd/unmute", "it is for group/all"),
        ({}, "group/all/cmd/unmute", "it is for room/thon-5"),
        ({"type": "mute"}, "room/thon-5/cmd/unmute", "it is a mute and came as unmute"),
        ({}, "room/thon-5/cmd/join", "it is a unmute and came as join"),
        ({"type": "leave"}, "room/thon-5/cmd/leave", "may give unmute, join, not leave"),
        ({"to": "group/xa-ba-vi"}, "group/xa-ba-vi/cmd/unmute", "may not address group/xa-ba-vi"),
        ({"expires": ISSUED + timedelta(days=2)}, "room/thon-5/cmd/unmute", "at the most"),
        ({"expires": ISSUED}, "room/thon-5/cmd/unmute", "at the most"),
    ],
)
def test_what_the_key_may_not_or_is_meant_otherwise_is_refused(
    folder: Path, signer: Signer, changes: dict[str, Any], topic: str, culprit: str
) -> None:
    event = refused(decode(folder, signer.sign(fields(**changes)), topic))
    assert (event.code, event.id) == (Code.NOT_PERMITTED, "c1")
    assert culprit in event.text


@pytest.mark.parametrize("missing", ["id", "type", "to", "issued", "expires"])
def test_nothing_that_binds_a_signature_may_be_left_out(
    folder: Path, signer: Signer, missing: str
) -> None:
    event = refused(decode(folder, signer.sign(fields(**{missing: None}))))
    assert event.code is Code.MISSING_FIELD
    assert f"`{missing}`" in event.text


def test_two_keys_count_while_one_is_replaced(folder: Path, signer: Signer) -> None:
    new = trust(folder, *make_key("ha-2027", "Hà", ["*"], ["*"], ["*"]))
    for one in (signer, new):
        assert isinstance(decode(folder, one.sign(fields())), CommandReceived)
    (folder / "ha-2026.json").unlink()
    assert refused(decode(folder, signer.sign(fields()))).code is Code.BAD_SIGNATURE
    assert isinstance(decode(folder, new.sign(fields())), CommandReceived)


def test_a_key_has_an_end(folder: Path) -> None:
    key = trust(folder, *make_key("old", "Hà", ["*"], ["*"], ["*"], ISSUED - timedelta(days=1)))
    event = refused(decode(folder, key.sign(fields())))
    assert "this key ended" in event.text


def test_a_damaged_key_file_is_named(folder: Path, signer: Signer) -> None:
    (folder / "ha-2026.json").write_text('{"owner": "Hà", "typo": 1}')
    event = refused(decode(folder, signer.sign(fields())))
    assert "ha-2026.json cannot be used" in event.text


@pytest.mark.parametrize("mode", [0o666, 0o664, 0o646])
def test_a_key_that_others_may_write_does_not_count(
    folder: Path, signer: Signer, mode: int
) -> None:
    """Also while the room runs: who can write the file could put a key of their own there."""
    assert isinstance(decode(folder, signer.sign(fields())), CommandReceived)
    (folder / "ha-2026.json").chmod(mode)
    event = refused(decode(folder, signer.sign(fields())))
    assert (event.code, "chmod 644" in event.text) == ("bad-signature", True)


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o757])
def test_a_key_in_a_folder_that_others_may_write_does_not_count(
    folder: Path, signer: Signer, mode: int
) -> None:
    """The settings were looked at when the room started; who can write there now could link an old key there."""
    folder.chmod(mode)
    event = refused(decode(folder, signer.sign(fields())))
    assert (event.code, "chmod 755" in event.text) == ("bad-signature", True)
    folder.chmod(0o755)
    assert isinstance(decode(folder, signer.sign(fields())), CommandReceived)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_key_of_another_user_does_not_count(folder: Path, signer: Signer) -> None:
    os.chown(folder / "ha-2026.json", 1234, 0)
    assert "chown root" in refused(decode(folder, signer.sign(fields()))).text
    os.chown(folder / "ha-2026.json", 0, 0)
    os.chown(folder, 1234, 0)
    assert f"{folder} belongs" in refused(decode(folder, signer.sign(fields()))).text


def test_keys_are_made_only_for_what_there_is() -> None:
    with pytest.raises(ConfigError) as caught:
        make_key("Hà", "Hà", ["dance"], ["Thon 5"], [])
    assert len(caught.value.problems) == 3
