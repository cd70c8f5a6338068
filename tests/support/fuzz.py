"""Payloads of every kind for command topics: noise, broken JSON, valid JSON with wrong insides."""

from __future__ import annotations

import random
from collections.abc import Iterator

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
