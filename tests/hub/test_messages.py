"""Every kind of bad input gets its code and one line that names the culprit; nothing raises."""

from __future__ import annotations

import os
import tracemalloc
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent import settings
from agent.core.model.commands import Ack, AckState, Code, Reply
from agent.core.model.documents import EventDocument, HealthDocument, Status
from agent.core.model.effects import SendAck
from agent.core.model.events import CommandReceived, CommandRefused, Delivery
from agent.hub.messages import (
    Incoming,
    decode_command,
    encode_health,
    encode_outgoing,
    encode_state,
)
from agent.hub.signature import Signatures
from agent.hub.topics import Topics
from agent.ports import Outgoing
from tests.hub.conftest import room_state
from tests.support.fuzz import fuzzed

AT = datetime(2026, 11, 22, 7, 15, tzinfo=UTC)
TOPICS = Topics("diemcau/v1", settings.Room(id="thon-5"))
UNSIGNED = Signatures("/nowhere", required=False)
HALF = 25_000
JOIN = "diemcau/v1/room/thon-5/cmd/join"
VOLUME = "diemcau/v1/room/thon-5/cmd/volume"


def refused(topic: str, payload: bytes, **fields: object) -> CommandRefused:
    event = decode_command(Incoming(topic, payload, **fields), TOPICS, UNSIGNED)  # type: ignore[arg-type]
    assert isinstance(event, CommandRefused), event
    assert "\n" not in event.text
    assert len(event.text) <= 300
    return event


@pytest.mark.parametrize(
    ("topic", "payload", "code", "id", "culprit"),
    [
        (JOIN, b"join please", Code.NOT_JSON, None, "not JSON"),
        (JOIN, b"", Code.NOT_JSON, None, "not JSON"),
        (JOIN, b"\xff\xfe", Code.NOT_JSON, None, "not JSON"),
        (JOIN, b"[1]", Code.NOT_JSON, None, "expected a JSON object, got list"),
        (JOIN, b"[" * 60_000, Code.NOT_JSON, None, "not JSON"),
        (JOIN, b'{"id":"a"}', Code.MISSING_FIELD, "a", "meeting"),
        (JOIN, b'{"id":"a","meeting":{}}', Code.MISSING_FIELD, "a", "meeting"),
        (JOIN, b'{"id":"a","meeting":{"id":7}}', Code.BAD_FIELD, "a", "meeting.id: expected str"),
        (JOIN, b'{"id":"a b","meeting":{"id":"m"}}', Code.BAD_FIELD, None, "id: expected 1 to 64"),
        (VOLUME, b'{"id":"a","speaker":101}', Code.BAD_FIELD, "a", "speaker: expected int <= 100"),
        (VOLUME, b'{"id":"a","speaker":"5"}', Code.BAD_FIELD, "a", 'got "5"'),
        (VOLUME, b'{"speaker":5,"expires":"soon"}', Code.BAD_FIELD, None, "expires"),
        (VOLUME, b'{"speaker":5,"issued":"2026-01-01T00:00:00"}', Code.BAD_FIELD, None, "issued"),
        (JOIN[:-4] + "dance", b'{"id":"a"}', Code.UNKNOWN_COMMAND, "a", "'dance'"),
        (JOIN.replace("5", "6"), b'{"id":"a"}', Code.NOT_PERMITTED, "a", "thon-6"),
    ],
)
def test_bad_input(topic: str, payload: bytes, code: Code, id: str | None, culprit: str) -> None:
    event = refused(topic, payload)
    assert (event.code, event.id) == (code, id)
    assert culprit in event.text


def test_a_refusal_keeps_what_an_answer_needs() -> None:
    event = refused(
        JOIN, b"{}", delivery=Delivery(7, 1, 2), response_topic="answers", correlation=b"\0"
    )
    assert event.delivery == Delivery(7, 1, 2)
    assert event.reply == Reply("answers", b"\0")
    assert event.type == "join"


def test_a_retained_command_is_refused_with_its_id() -> None:
    event = refused(JOIN, b'{"id":"a","meeting":{"id":"m"}}', retained=True)
    assert (event.code, event.id) == (Code.RETAINED, "a")
    later = refused(JOIN, b'{"meeting":{"id":"m"},"id":"a"}', retained=True)
    assert later.id == "a", "wherever it stands"


def test_no_answer_goes_where_a_room_speaks() -> None:
    event = refused(JOIN, b"{}", response_topic="diemcau/v1/room/thon-6/state")
    assert event.reply is None


def test_a_type_that_is_no_word_is_not_repeated_whole() -> None:
    event = refused(JOIN[:-4] + "x" * 200, b'{"id":"a"}')
    assert event.type == "x" * 40


def test_state_and_health_are_retained_and_nothing_else() -> None:
    state = encode_state(room_state(), TOPICS)
    health = encode_health(HealthDocument("thon-5", Status.OK, {}, {}, None, AT), TOPICS)
    event = EventDocument("fault", "thon-5", "absent", "Camera: unplugged", AT)
    ack = Ack("a", "ping", "thon-5", AckState.SUCCEEDED, Code.OK, "pong", 3, AT)
    reply = SendAck(ack, Reply("answers", b"7"), final=True)
    others = [
        one for each in (event, reply) for one in encode_outgoing(Outgoing(each), TOPICS) if one
    ]
    assert [state.retain, health.retain] == [True, True]
    assert [(one.topic.removeprefix("diemcau/v1/room/thon-5/"), one.retain) for one in others] == [
        ("event/fault", False),
        ("ack/a", False),
        ("answers", False),
    ]
    assert [one.correlation for one in others] == [None, None, b"7"]


def test_a_megabyte_is_refused_without_being_parsed() -> None:
    padding = b'"x":"' + b"x" * 2**20 + b'"}'
    payload = b'{ "id": "a", ' + padding
    tracemalloc.start()
    event = refused(JOIN, payload)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (event.code, event.id) == (Code.TOO_LARGE, "a")
    assert peak_bytes < 100_000
    assert refused(JOIN, b'{"meeting":{"id":"m"},' + padding).id is None


def test_unknown_fields_are_named_and_ignored() -> None:
    payload = b'{"colour":1,"meeting":{"id":"m","mood":2},"id":"a"}'
    event = decode_command(Incoming(JOIN, payload), TOPICS, UNSIGNED)
    assert isinstance(event, CommandReceived)
    assert sorted(event.unknown_fields) == ["colour", "meeting.mood"]


def test_times_are_read_with_their_offset() -> None:
    payload = b'{"speaker":5,"expires":"2026-11-22T09:00:00+07:00"}'
    event = decode_command(Incoming(VOLUME, payload), TOPICS, UNSIGNED)
    assert isinstance(event, CommandReceived)
    assert event.command.expires == datetime(2026, 11, 22, 2, tzinfo=UTC)


def test_commands_without_an_id_get_different_ones() -> None:
    ping = Incoming(JOIN[:-4] + "ping", b"{}")
    events = [decode_command(ping, TOPICS, UNSIGNED) for _ in range(2)]
    ids = {event.command.id for event in events if isinstance(event, CommandReceived)}
    assert len(ids) == 2


@pytest.mark.parametrize("required", [False, True])
def test_fuzzed_payloads_neither_raise_nor_become_what_they_do_not_say(
    tmp_path: Path, required: bool
) -> None:
    signatures = Signatures(tmp_path, required=required)
    kinds = Counter(
        type(_judged(incoming, signatures)) for incoming in fuzzed(HALF, seed=int(required))
    )
    before = resident_bytes()
    for incoming in fuzzed(HALF, seed=2 + required):
        _judged(incoming, signatures)
    assert resident_bytes() - before < 2_000_000
    if required:
        assert set(kinds) == {CommandRefused}
    else:
        assert min(kinds[CommandReceived], kinds[CommandRefused]) > HALF / 50


def _judged(incoming: Incoming, signatures: Signatures) -> CommandReceived | CommandRefused:
    event = decode_command(incoming, TOPICS, signatures)
    if isinstance(event, CommandReceived):
        assert incoming.topic.endswith("/" + event.command.type)
        assert not incoming.retained
    else:
        assert isinstance(event.code, Code)
        assert 0 < len(event.text) <= 300
        assert event.text.isprintable()
    return event


def resident_bytes() -> int:
    """Memory of this process that is in RAM (proc(5), statm)."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
