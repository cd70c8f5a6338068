"""The one decoder of commands: what is taken, what is refused, and with which words."""

import random

import msgspec
import pytest

from agent.core.model.command_codec import (
    MAX_COMMAND_BYTES,
    CommandHead,
    CommandProblem,
    command_from,
    decode_object,
    extended,
)
from agent.core.model.commands import Code, Join, Meeting, Origin, Volume


def decode(data: bytes, type: str = "join"):
    return command_from(decode_object(data), type, Origin.HUB, lambda: "made-here")


def problem(data: bytes, type: str = "join") -> CommandProblem:
    with pytest.raises(CommandProblem) as caught:
        decode(data, type)
    return caught.value


def test_the_shortest_join_is_a_whole_command():
    command = decode(b'{"meeting":{"id":"giao-ban"}}').command
    assert command.body == Join(meeting=Meeting(id="giao-ban"))
    assert (command.id, command.type, command.origin) == ("made-here", "join", Origin.HUB)


def test_the_envelope_is_read():
    command = decode(
        b'{"id":"01J","issued":"2026-11-22T07:00:00+07:00","expires":"2026-11-22T07:05:00Z","speaker":30}',
        "volume",
    ).command
    assert command.id == "01J"
    assert command.body == Volume(speaker=30)
    assert command.issued is not None
    assert command.expires is not None
    assert command.expires > command.issued


@pytest.mark.parametrize(
    "payload",
    [
        b'\xef\xbb\xbf{"speaker":40}',
        b'{"speaker":40}\0',
        b'{"speaker":40.0}\n\0\0',
        b'{"speaker":4e1,"id":"x","nested":[1.0,{"a":2.5}]}',
    ],
    ids=["byte order mark", "a C string", "a dashboard's number", "an exponent"],
)
def test_what_means_the_same_is_taken(payload):
    assert decode(payload, "volume").command.body == Volume(speaker=40)


def test_unknown_fields_are_named_at_any_depth_and_do_no_harm():
    decoded = decode(
        b'{"type":"join","meeting":{"id":"a","titel":"x"},"play":[{"url":"http://m/w","tokn":"s"}],"microfone":"live"}'
    )
    assert sorted(decoded.unknown_fields) == ["meeting.titel", "microfone", "play[0].tokn"]
    assert isinstance(decoded.command.body, Join)
    assert decoded.command.body.microphone == "muted"


@pytest.mark.parametrize(
    ("data", "type", "code", "text"),
    [
        (b"hello", "join", Code.NOT_JSON, "not JSON"),
        (b"", "join", Code.NOT_JSON, "not JSON"),
        (b'{"id":"\xff"}', "join", Code.NOT_JSON, "not JSON"),
        (b"[" * 5000, "join", Code.NOT_JSON, "not JSON"),
        (b'["id"]', "join", Code.NOT_JSON, "expected a JSON object, got list"),
        (b" " * (MAX_COMMAND_BYTES + 1), "join", Code.TOO_LARGE, "65537 bytes"),
        (b"{}", "jion", Code.UNKNOWN_COMMAND, "unknown command 'jion'; there are join, leave"),
        (b"{}", "join", Code.MISSING_FIELD, "join: missing required field meeting"),
        (b'{"meeting":{}}', "join", Code.MISSING_FIELD, "meeting: missing required field id"),
        (b'{"meeting":{"id":7}}', "join", Code.BAD_FIELD, "meeting.id: expected str, got 7"),
        (b'{"speaker":101}', "volume", Code.BAD_FIELD, "speaker: expected int <= 100, got 101"),
        (b'{"speaker":"9"}', "volume", Code.BAD_FIELD, 'speaker: expected int, got "9"'),
        (b'{"power":"up"}', "display", Code.BAD_FIELD, 'power: expected off or on, got "up"'),
        (
            b'{"meeting":{"id":"a"},"microphone":"on"}',
            "join",
            Code.BAD_FIELD,
            'microphone: expected live or muted, got "on"',
        ),
        (
            b'{"meeting":{"id":"a"},"play":[{"url":"rtsp://m/w"}]}',
            "join",
            Code.BAD_FIELD,
            'play[0].url: expected an http:// or https:// URL, got "rtsp://m/w"',
        ),
        (b'{"type":"mute"}', "ping", Code.BAD_FIELD, "type: the message says 'mute'"),
        (
            b'{"id":"a/b"}',
            "ping",
            Code.BAD_FIELD,
            "id: expected 1 to 64 letters, digits or '-', got",
        ),
        (b'{"id":"a\\n"}', "ping", Code.BAD_FIELD, "id: expected 1 to 64 letters"),
        (b'{"meeting":{"id":"a\\n"}}', "join", Code.BAD_FIELD, "meeting.id: expected 1 to 64"),
        (
            b'{"meeting":{"id":"a"},"publish":{"url":"http://m/w\\nX-Y: z"}}',
            "join",
            Code.BAD_FIELD,
            "publish.url: expected an http:// or https:// URL",
        ),
        (
            b'{"meeting":{"id":"a"},"publish":{"picture":"tiny"}}',
            "join",
            Code.BAD_FIELD,
            'publish.picture: expected full or off or small, got "tiny"',
        ),
        (
            b'{"meeting":{"id":"a"},"until":"2026-11-22T08:00:00"}',
            "join",
            Code.BAD_FIELD,
            "until: expected a time with its offset, like",
        ),
    ],
)
def test_what_is_refused_and_why(data: bytes, type: str, code: Code, text: str):
    found = problem(data, type)
    assert found.code == code
    assert text in found.text


def test_a_token_is_never_quoted():
    data = b'{"meeting":{"id":"a"},"publish":{"url":"http://m/w","token":"%s"}}' % (b"secret" * 999)
    found = problem(data, "join")
    assert "publish.token: expected str of length <= 4096" in found.text
    assert "secret" not in found.text


def test_the_id_is_read_from_a_bad_command_so_that_it_can_be_answered():
    assert problem(b'{"id":"01J","meeting":7}').id == "01J"
    assert problem(b'{"id":"01J"}', "no-such").id == "01J"
    assert problem(b'{"id":7,"meeting":7}').id is None


def test_random_damage_never_raises_anything_else():
    seed = b'{"id":"01J","type":"join","meeting":{"id":"a"},"play":[{"url":"http://m/w"}],"until":null}'
    source = random.Random(7)
    for _ in range(20_000):
        damaged = bytearray(seed)
        for _ in range(source.randint(1, 6)):
            damaged[source.randrange(len(damaged))] = source.randrange(256)
        try:
            command_from(decode_object(bytes(damaged)), "join", Origin.LOCAL, lambda: "x")
            refused = ""
        except CommandProblem as found:
            refused = found.text
        assert "\n" not in refused


@pytest.mark.parametrize(
    "token", ["a\\r\\nX-Evil: 1", "m\u1eadt", "two words", "tab\\t", "line\\n"]
)
def test_a_token_that_can_be_no_header_is_refused_at_the_door_and_not_quoted(token: str) -> None:
    text = f'{{"meeting":{{"id":"a"}},"publish":{{"url":"http://m/w","token":"{token}"}}}}'
    found = problem(text.encode(), "join")
    assert "publish.token: expected a token of visible ASCII" in found.text
    assert token not in found.text


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        (b'{"microphone": "muted"}', b'{"microphone":"muted","type":"join","id":"c1"}'),
        (
            b'{"timeout_seconds": 30.0, "id": "x"}',
            b'{"timeout_seconds":30.0,"id":"c1","type":"join"}',
        ),
        (b"{}", b'{"type":"join","id":"c1"}'),
    ],
    ids=["a default", "its own id", "nothing"],
)
def test_a_command_is_sent_as_it_was_written(written: bytes, sent: bytes) -> None:
    """A default that is named stays named: a repeated join makes true what it names, and leaves the rest."""
    assert extended(written, CommandHead("join", "c1")) == sent


@pytest.mark.parametrize("written", [b"", b"[]", b'"x"', b"{", b"\xff"])
def test_only_an_object_is_extended(written: bytes) -> None:
    with pytest.raises((msgspec.MsgspecError, UnicodeDecodeError)):
        extended(written, CommandHead("join", "c1"))
