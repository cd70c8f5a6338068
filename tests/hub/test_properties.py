"""What a sender puts beside a command reaches the MQTT library only as far as somebody reads it."""

from __future__ import annotations

import random
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from agent.hub.properties import _number, _varint, without_ballast
from tests.support.fuzz import random_properties

TOPIC = b"diemcau/v1/room/thon-5/cmd/ping"
HEAD = len(TOPIC).to_bytes(2, "big") + TOPIC
MANY = 400_000


def packet(properties: bytes, qos: int = 1) -> bytes:
    mid = b"\x00\x07" if qos else b""
    return HEAD + mid + _varint(len(properties)) + properties + b'{"id":"p1"}'


def read(packet: bytes, qos: int = 1) -> tuple[Properties, bytes]:
    """As paho does it."""
    properties: Any = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    rest = packet[len(HEAD) + (2 if qos else 0) :]
    _, length = properties.unpack(rest)
    return properties, rest[length:]


def pair(name: bytes, value: bytes) -> bytes:
    sizes = [len(one).to_bytes(2, "big") for one in (name, value)]
    return b"\x26" + sizes[0] + name + sizes[1] + value


@pytest.mark.parametrize("qos", [0, 1])
def test_what_is_read_is_as_it_was_and_the_rest_is_gone(qos: int) -> None:
    dice = random.Random(13)
    for _ in range(300):
        sent: Any = random_properties(dice)
        got: Any
        got, payload = read(
            without_ballast(packet(sent.pack()[_skip(sent) :], qos), qos, "sender"), qos
        )
        assert payload == b'{"id":"p1"}'
        for name in ("ResponseTopic", "CorrelationData"):
            assert getattr(got, name, None) == getattr(sent, name, None)
        said = [one for one in getattr(sent, "UserProperty", []) if one[0] == "sender"]
        assert getattr(got, "UserProperty", []) == said[-1:]
        assert not any(hasattr(got, name) for name in ("ContentType", "MessageExpiryInterval"))


def _skip(sent: Any) -> int:
    """Where the properties begin behind their length."""
    return _number(sent.pack(), 0)[1]


def test_a_message_of_nothing_but_properties_is_read_at_once() -> None:
    """The library took ten minutes for these two megabytes, and the watchdog ended the room, again and again."""
    flood = packet(pair(b"", b"") * MANY + pair(b"sender", b"ha") + b"\x0b\x80\x01" * 1000)
    got: Any
    got, payload = read(without_ballast(flood, 1, "sender"))
    assert got.UserProperty == [("sender", "ha")]
    assert payload == b'{"id":"p1"}'
    assert len(without_ballast(flood, 1, None)) < 100


@pytest.mark.parametrize("letter", ["\ufeff", "\0", b"\xff", b"\xed\xa0\x80"])
@pytest.mark.parametrize("where", ["user property", "response topic", "content type"])
def test_a_letter_that_the_library_does_not_take_costs_the_property(
    letter: str | bytes, where: str
) -> None:
    text = b"reply/" + (letter.encode() if isinstance(letter, str) else letter)
    size = len(text).to_bytes(2, "big")
    kinds = {"response topic": b"\x08" + size + text, "content type": b"\x03" + size + text}
    odd = kinds.get(where, pair(b"sender", text))
    got, payload = read(without_ballast(packet(odd + b"\x09\x00\x01c"), 1, "sender"))
    assert vars(got).keys() & {"ResponseTopic", "UserProperty", "ContentType"} == set()
    assert getattr(got, "CorrelationData", None) == b"c"
    assert payload == b'{"id":"p1"}'


@pytest.mark.parametrize(
    "properties",
    [b"\x26\x00", b"\x08\xff\xffx", b"\x77\x00", b"\x0b\xff\xff\xff\xff\x01", b"\x01"],
    ids=["half a pair", "longer than all", "unknown", "no number", "cut off"],
)
def test_what_breaks_the_protocol_is_the_librarys_to_refuse(properties: bytes) -> None:
    broken = HEAD + b"\x00\x07" + _varint(len(properties)) + properties
    assert without_ballast(broken, 1, "sender") == broken


def test_a_packet_of_a_few_bytes_is_none() -> None:
    for end in range(6):
        assert without_ballast(b"\x00\x04abcd"[:end], 1, None) == b"\x00\x04abcd"[:end]
