"""Answers of real servers, and HTTP responses with them, as broken programs and bad people would send them."""

from __future__ import annotations

import random
from collections.abc import Iterator

from tests.support.http_stub import Reply
from tests.support.transcripts import read

FILES = ("mediamtx", "go2rtc", "janus-whip", "janus-whep", "livekit", "ome")
GRAINS = ("", "\0", "\r", "\n", " ", "m=", "a=", "a=mid:", "0", "65536", "-1", "9" * 300, "é", "\ud7ff", "a=group:BUNDLE", "m=audio 0 UDP/TLS/RTP/SAVPF", "a=setup:actpass", "a=inactive", "a=candidate:1 1 udp 1 :: 0 typ host", "a=ice-pwd:" + "p" * 3000, "%s%n")  # fmt: skip
STATUSES = (200, 201, 201, 201, 201, 202, 204, 301, 302, 307, 400, 401, 403, 404, 406, 409, 415, 418, 500, 503)  # fmt: skip
TYPES = ("application/sdp", "application/sdp; charset=x", "text/plain", "text/html", "", "a" * 500)
LOCATIONS = (
    "/session/1",
    "session/1",
    "",
    "?x",
    "//",
    "http://[",
    "/é",
    "/a b",
    "\\",
    "/" + "x" * 900,
)


def answers(count: int, seed: int) -> Iterator[tuple[str, str]]:
    """Offers with mutated answers to them; the same for the same seed."""
    dice = random.Random(seed)
    real = [(one.sent, one.body) for file in FILES for one in read(file) if one.status == 201]
    for _ in range(count):
        offer, answer = dice.choice(real)
        yield offer, mutated(answer, dice)


def mutated(text: str, dice: random.Random) -> str:
    """Lines lost, doubled, moved; letters replaced."""
    lines = text.split("\r\n")
    for _ in range(dice.randrange(1, 5)):
        at, other = dice.randrange(len(lines)), dice.randrange(len(lines))
        match dice.randrange(6):
            case 0:
                del lines[at : at + dice.randrange(1, 4)]
            case 1:
                lines.insert(at, lines[other])
            case 2:
                lines[at], lines[other] = lines[other], lines[at]
            case 3:
                lines.insert(at, dice.choice(GRAINS))
            case _:
                cut = dice.randrange(len(lines[at]) + 1)
                lines[at] = lines[at][:cut] + dice.choice(GRAINS) + lines[at][cut + 1 :]
        lines = lines or [""]
    return dice.choice(("\r\n", "\r\n", "\r\n", "\n")).join(lines)


def replies(count: int, seed: int) -> Iterator[Reply]:
    """Responses to an offer; headers are such as an HTTP server can write."""
    dice = random.Random(seed)
    for _, answer in answers(count, seed):
        headers = {"Content-Type": dice.choice(TYPES), "Location": dice.choice(LOCATIONS)}
        kept = {name: value for name, value in headers.items() if dice.random() < 0.9}
        safe = {name: value.encode().decode("latin-1") for name, value in kept.items()}
        yield Reply(dice.choice(STATUSES), answer, safe)
