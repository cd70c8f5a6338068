"""Payloads of every kind for command topics and agendas: noise, broken JSON, valid JSON with wrong insides."""

from __future__ import annotations

import random
from collections.abc import Iterator

from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties, VariableByteIntegers

from agent.core.model.commands import COMMANDS
from agent.hub.messages import Incoming

_SEEDS = [
    b'{"id":"a","meeting":{"id":"giao-ban","title":"x"},"play":[{"url":"http://h/w"}]}',
    b'{"speaker":50,"issued":"2026-11-22T09:00:00+07:00","expires":"2026-11-22T09:01:00Z"}',
    b'{"power":"on"}',
    b'{"seconds":1e3,"scope":"host"}',
    b"eyJhbGciOiJFZERTQSIsImtpZCI6ImhhIn0.eyJpZCI6ImEifQ.-JH3riTIB4V-PTsa48cyB5APNnQHHvYj",
]
_GRAINS = [b"{", b"}", b"[", b'"', b",", b":", b".", b"null", b"-", b"1e999", b"\\ud800", b"\x00", b"\xff", b"9" * 400, b"true", b"[" * 3000]  # fmt: skip
_RESPONSE_TOPICS = ["a", "a/" * 300 + "a", "x" * 65_000, "diemcau/v1/room/x/state", "$SYS/a", "/", "chủ/tọa", "a/b/c/d/e/f/g/h", "a/b/c/d/e/f/g/h/i", "\u202e", "#", "+/a", "a/#"]  # fmt: skip
_TYPES = [*COMMANDS, "dance", "", "\x00", "x" * 300]


def fuzzed(count: int, seed: int, room: str = "thon-5") -> Iterator[Incoming]:
    """So many messages to the room; the same for the same seed."""
    dice = random.Random(seed)
    for _ in range(count):
        data = bytearray(dice.choice(_SEEDS) if dice.random() < 0.8 else dice.randbytes(60))
        for _ in range(dice.randrange(6)):
            at = dice.randrange(len(data) + 1)
            data[at : at + dice.randrange(4)] = dice.choice(_GRAINS)
        yield Incoming(
            f"diemcau/v1/room/{room}/cmd/{dice.choice(_TYPES)}",
            bytes(data),
            retained=dice.random() < 0.05,
            response_topic=dice.choice([None, "a", "+", "\0"]),
        )


def random_properties(dice: random.Random) -> Properties:
    """What a sender may put beside a command, each at its limits now and then (MQTT 5, 3.3.2.3)."""
    made = Properties(PacketTypes.PUBLISH)
    if dice.random() < 0.7:
        made.ResponseTopic = dice.choice(_RESPONSE_TOPICS)
    if dice.random() < 0.5:
        made.CorrelationData = dice.randbytes(
            dice.choice([0, 1, 1024, 1025, 65_000 if dice.random() < 0.1 else 16])
        )
    if dice.random() < 0.5:
        text = "x" * 60_000 if dice.random() < 0.05 else dice.choice(["", "chủ tọa"])
        made.UserProperty = [("sender", text), ("", text[:9])] * dice.choice([1, 10])
    if dice.random() < 0.3:
        made.ContentType = dice.choice(["", "application/json", "\u202e" * 300])
    if dice.random() < 0.3:
        made.MessageExpiryInterval = dice.choice([1, 60, 2**32 - 1])
    if dice.random() < 0.3:
        made.PayloadFormatIndicator = dice.randrange(2)
    return made


class Crowd(Properties):
    """User Properties without end, and letters that paho neither sends nor takes; it would take minutes to pack them."""

    packed: bytes

    def __init__(self, dice: random.Random) -> None:
        super().__init__(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        pair = dice.choice([b"\0\0\0\0", b"\0\1a\0\3\xef\xbb\xbf", b"\0\0\0\2\xc2\xa0"])
        packed = (b"\x26" + pair) * dice.choice([1, 1000, 120_000 // (len(pair) + 1)])
        object.__setattr__(self, "packed", packed)  # paho takes no other names

    def pack(self) -> bytes:
        return VariableByteIntegers.encode(len(self.packed)) + self.packed


def turned_about(dice: random.Random, original: bytes) -> bytes:
    """A few bytes changed, left out or doubled."""
    data = bytearray(original)
    for _ in range(dice.randrange(1, 6)):
        at = dice.randrange(len(data))
        match dice.randrange(3):
            case 0:
                data[at] = dice.randrange(256)
            case 1:
                del data[at : at + dice.randrange(1, 9)]
            case _:
                data[at:at] = data[: dice.randrange(9)]
    return bytes(data)


def lines_turned_about(dice: random.Random, data: bytes) -> bytes:
    """A few lines left out, doubled, exchanged or cut, or one byte in them changed."""
    for _ in range(dice.randrange(1, 6)):
        lines = data.split(b"\r\n")
        at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        match dice.randrange(5):
            case 0:
                del lines[at]
            case 1:
                lines[at], lines[other] = lines[other], lines[at]
            case 2:
                lines.insert(at, lines[other])
            case 3:
                lines[at] = lines[at][: dice.randrange(len(lines[at]) + 1)]
            case _:
                line = bytearray(lines[at] or b"x")
                line[dice.randrange(len(line))] = dice.randrange(256)
                lines[at] = bytes(line)
        data = b"\r\n".join(lines)
    return data
