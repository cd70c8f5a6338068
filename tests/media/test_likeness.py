"""The test server's likenesses say what the real servers said, line by line."""

from __future__ import annotations

import re

import pytest

from tests.support.answers import Local, Section, read_offer
from tests.support.likeness import LIKENESSES
from tests.support.transcripts import Exchange, read

LOCAL = Local("u", "p", "AB:CD", "127.0.0.1", 9, {"audio": 2, "video": 3})
BOTH = {"audio", "video"}
PLAYED = {"/m/audio-only/whep": {"audio"}, "/m/video-only/whep": {"video"}}
"""What the source has that is played there, where it is not both."""

FILES = {"mediamtx": ["mediamtx"], "go2rtc": ["go2rtc"], "livekit": ["livekit"], "ome": ["ome"]}
FILES["janus"] = ["janus-whip", "janus-whep"]


def exchanges(method: str, statuses: set[int]) -> list[tuple[str, Exchange]]:
    return [
        pytest.param(like, one, id=f"{like} {one.method} {one.path} {one.status} {index}")
        for like, files in FILES.items()
        for file in files
        for index, one in enumerate(read(file))
        if one.method == method and one.status in statuses
    ]


def plain(sdp: str) -> list[str]:
    """Without what is different each time."""
    sdp = re.sub(r"^o=(\S+) \d+ \d+ IN IP4 \S+", r"o=\1", sdp, flags=re.M)
    sdp = re.sub(r"^(a=fingerprint:\S+|a=ice-(?:ufrag|pwd):)\s?\S+", r"\1", sdp, flags=re.M)
    sdp = re.sub(r"^a=ssrc:\d+", "a=ssrc:", sdp, flags=re.M)
    sdp = re.sub(
        r"^a=candidate:\S+ (\d) (\S+) (\d+) \S+ \d+", r"a=candidate: \1 \2 \3", sdp, flags=re.M
    )
    sdp = re.sub(r"ufrag \S+\s*$", "ufrag", sdp, flags=re.M)
    sdp = re.sub(r"^c=IN IP4 (?!0\.0\.0\.0)\S+", "c=IN IP4", sdp, flags=re.M)
    return sdp.splitlines()


def kind_of(like: str, path: str) -> str:
    if like == "go2rtc":
        return "whep" if "src=" in path else "whip"
    return "whep" if "whep" in path else "whip"


@pytest.mark.parametrize(("like", "real"), exchanges("POST", {201}))
def test_answers(like: str, real: Exchange) -> None:
    likeness, kind = LIKENESSES[like], kind_of(like, real.path)
    kinds = PLAYED.get(real.path, BOTH)
    if like == "go2rtc" and "a=inactive" in real.body:
        kinds = {"audio"}
    answer = likeness.answer(kind, real.sent, kinds, LOCAL)
    assert answer is not None
    assert plain(answer) == plain(real.body)


@pytest.mark.parametrize(("like", "real"), exchanges("POST", {201}))
def test_headers(like: str, real: Exchange) -> None:
    likeness, kind = LIKENESSES[like], kind_of(like, real.path)
    ours = {name.lower() for name in likeness.headers("0" * 32)} | {"content-type"}
    if likeness.location(kind, "x", "0" * 32):
        ours.add("location")
    incidental = {
        "connection",
        "keep-alive",
        "transfer-encoding",
        "server",
        "x-content-type-options",
    }
    assert ours - incidental == {name.lower() for name in real.headers} - incidental


def test_refusals() -> None:
    refusals = {
        ("mediamtx", 404): LIKENESSES["mediamtx"].absent,
        ("mediamtx", 401): LIKENESSES["mediamtx"].forbidden("whip", "TOKEN"),
        ("mediamtx", 400): LIKENESSES["mediamtx"].refusal(offered(PICTURE_ONLY), {"video"}),
        ("go2rtc", 500): LIKENESSES["go2rtc"].absent,
        ("janus", 403): LIKENESSES["janus"].taken,
        ("livekit", 401): LIKENESSES["livekit"].forbidden("whip", "TOKEN"),
        ("ome", 404): LIKENESSES["ome"].absent,
        ("ome", 409): LIKENESSES["ome"].taken,
    }
    real = {(like, one.status): one for like, one in (p.values for p in REFUSED)}
    for key, said in refusals.items():
        assert said is not None
        body = real[key].body.strip()
        assert (said.status, said.text) == (key[1], body.replace("giao-ban/dat-mui", "m/dat-mui"))
        assert real[key].headers["Content-Type"].startswith(said.content_type)


REFUSED = exchanges("POST", {400, 401, 404, 409, 500})
REFUSED += [one for one in exchanges("POST", {403}) if "already" in one.values[1].body]
PICTURE_ONLY = next(one for one in read("mediamtx") if one.status == 400).sent


def offered(sdp: str) -> list[Section]:
    return read_offer(sdp)


@pytest.mark.parametrize(("like", "real"), exchanges("DELETE", {200, 404}))
def test_deletes(like: str, real: Exchange) -> None:
    said = LIKENESSES[like].ended if real.status == 200 else LIKENESSES[like].gone
    assert (said.status, said.text) == (real.status, real.body.strip())
