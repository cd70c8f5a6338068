"""Agenda documents from the wire: what is taken, what is refused and why, and who may write them."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import settings
from agent.core.model.agenda import MAX_AGENDA_BYTES, Agenda
from agent.core.model.events import AgendaReceived
from agent.hub.messages import Incoming, decode_agenda
from agent.hub.signature import Signatures, make_key
from agent.hub.topics import Topics
from tests.support.fuzz import turned_about

TOPICS = Topics("diemcau/v1", settings.Room(id="xa-a", groups=["giao-ban"]))
ROOM, GROUP = "diemcau/v1/room/xa-a/agenda", "diemcau/v1/group/giao-ban/agenda"
NOW = datetime(2026, 11, 28, tzinfo=UTC)


def document(**changes: Any) -> dict[str, Any]:
    item = {
        "id": "a",
        "title": "Giao ban",
        "starts": "2026-11-30T00:15:00Z",
        "ends": "2026-11-30T01:15:00Z",
        "join": {"meeting": {"id": "giao-ban"}},
    }
    return {
        "v": 1,
        "version": 1,
        "issued": NOW,
        "valid_until": "2026-12-12T00:00:00Z",
        "items": [item],
    } | changes


def take(payload: bytes, topic: str = ROOM, signatures: Signatures | None = None) -> AgendaReceived:
    address = TOPICS.parse_agenda(topic)
    assert address is not None
    checker = signatures or Signatures("/nonexistent", required=False)
    return decode_agenda(Incoming(topic, payload, retained=True), address, checker)


def code(received: AgendaReceived) -> str | None:
    return None if received.problem is None else str(received.problem[0])


def test_topics_of_the_room_and_its_groups_and_no_others() -> None:
    assert TOPICS.agendas() == [ROOM, GROUP, "diemcau/v1/group/all/agenda"]
    for topic in (
        "diemcau/v1/room/xa-b/agenda",
        "diemcau/v1/group/x/agenda",
        "diemcau/v1/room/xa-a/agenda/x",
    ):
        assert TOPICS.parse_agenda(topic) is None


@pytest.mark.parametrize("wrap", [bytes, lambda b: b"\xef\xbb\xbf" + b, lambda b: b + b"\0"])
def test_a_document_is_taken(wrap: Any) -> None:
    received = take(wrap(msgspec.json.encode(document())))
    assert received.agenda is not None
    assert received.address == "room/xa-a"


def test_an_empty_message_clears() -> None:
    assert take(b"") == AgendaReceived("room/xa-a", None)


@pytest.mark.parametrize(
    ("payload", "wanted"),
    [
        (b"{", "not-json"),
        (b"[" * 5000, "not-json"),
        (b"\xff\xfe\x00", "not-json"),
        (b"x" * (MAX_AGENDA_BYTES + 1), "too-large"),
        (msgspec.json.encode(document(v=2)), "bad-field"),
        (msgspec.json.encode(document(version=0)), "bad-field"),
        (msgspec.json.encode(document(items="all")), "bad-field"),
        (msgspec.json.encode(document(to="room/xa-b")), "not-permitted"),
        (msgspec.json.encode(document(to="group/giao-ban")), "not-permitted"),
    ],
)
def test_what_is_none_is_refused(payload: bytes, wanted: str) -> None:
    assert code(take(payload)) == wanted


@pytest.fixture
def keys(tmp_path: Path) -> Any:
    """Signs, and the folder that trusts: a key for agendas of one group, and one for joins only."""

    def trusted(name: str, types: list[str], **allowed: Any) -> Any:
        signer, public = make_key(
            name, "Hà", types, allowed.get("rooms", []), allowed.get("groups", [])
        )
        (tmp_path / f"{name}.json").write_bytes(msgspec.json.encode(public))
        return signer

    return (
        Signatures(tmp_path, required=True),
        trusted("calendar", ["agenda"], groups=["giao-ban"]),
        trusted("joins", ["join"], groups=["*"], rooms=["*"]),
    )


def test_where_signatures_are_required(keys: Any) -> None:
    signatures, calendar, joins = keys
    good = calendar.sign(msgspec.json.encode(document(to="group/giao-ban"))).encode()
    assert take(good, GROUP, signatures).agenda is not None
    assert code(take(msgspec.json.encode(document()), GROUP, signatures)) == "unsigned"
    assert code(take(b"", GROUP, signatures)) == "unsigned", "a broker clears nothing"
    assert code(take(good, ROOM, signatures)) == "not-permitted", "it is for the group"
    assert code(take(good[:-4] + b"AAAA", GROUP, signatures)) == "bad-signature"
    other = calendar.sign(msgspec.json.encode(document(to="room/xa-a"))).encode()
    assert code(take(other, ROOM, signatures)) == "not-permitted", "the key is for the group"
    wrong = joins.sign(msgspec.json.encode(document(to="group/giao-ban"))).encode()
    assert code(take(wrong, GROUP, signatures)) == "not-permitted", "a key for joins"
    unbound = calendar.sign(msgspec.json.encode(document())).encode()
    assert code(take(unbound, GROUP, signatures)) == "bad-field", "it does not say whom it is for"


@pytest.mark.parametrize("field", ["issued", "valid_until"])
@pytest.mark.parametrize("when", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00"])
def test_the_ends_of_time_do_not_end_the_link(field: str, when: str) -> None:
    """A retained one came with each connection and ended it: the room was never reached again."""
    taken = take(msgspec.json.encode(document(**{field: when})))
    good = field == "valid_until" and when.startswith("9999")  # else it ends before it is issued
    assert code(taken) == (None if good else "bad-field")


def test_mutated_documents_are_taken_whole_or_refused() -> None:
    dice = random.Random(7)
    original = msgspec.json.encode(document())
    for _ in range(2000):
        received = take(turned_about(dice, original))
        assert (received.agenda is None) != (received.problem is None)
        if received.agenda is not None:
            again = msgspec.json.decode(msgspec.json.encode(received.agenda), type=Agenda)
            assert again == received.agenda
