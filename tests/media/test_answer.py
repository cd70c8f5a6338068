"""Answers as they are met: what both ends take by them, and what is wrong with those that are of no use."""

from __future__ import annotations

import pytest

from agent.media.webrtc.answer import Agreement, Unusable, agree
from tests.support.sdp_fuzz import answers
from tests.support.shapes import SHAPES, refuse
from tests.support.transcripts import Exchange, read

FILES = ("mediamtx", "go2rtc", "janus-whip", "janus-whep", "livekit", "ome")
MEDIA = {"video": "picture", "audio": "sound"}
REAL = [
    pytest.param(one, id=f"{file} {one.path} {index}")
    for file in FILES
    for index, one in enumerate(read(file))
    if one.status == 201
]
BOTH = next(one for one in read("mediamtx") if one.status == 201 and one.path.endswith("whip"))
FIRST_SOUND = "m=audio"


def swapped(sdp: str) -> str:
    """With the sound first."""
    head, video, audio = (part for part in sdp.replace("\r\nm=", "\r\n\0m=").split("\0"))
    head = head.replace("video0 audio1", "audio1 video0")
    return head + audio + video


def sections(agreement: Agreement) -> list[str]:
    return [line for line in agreement.sdp.splitlines() if line.startswith("m=")]


@pytest.mark.parametrize("real", REAL)
def test_what_real_servers_answered_is_understood(real: Exchange) -> None:
    agreed = agree(real.sent, real.body)
    missing = {"picture"} if "m=video 0" in real.body or "a=inactive" in real.body else set()
    assert set(agreed.refused) == missing
    assert {*agreed.media, *agreed.refused} == {
        MEDIA[kind] for kind in MEDIA if f"m={kind}" in real.sent
    }
    assert agreed.sdp.count("a=candidate:") == len(
        {line for line in real.body.splitlines() if line.startswith("a=candidate:")}
    ), "wherever they stood: MediaMTX writes them into the first section, be it refused"
    assert agreed.sdp.count("a=ice-ufrag:") == agreed.sdp.count("a=setup:") == len(sections(agreed))


@pytest.mark.parametrize("order", ["picture first", "sound first"])
@pytest.mark.parametrize("bundled", [True, False])
@pytest.mark.parametrize("kind", MEDIA)
@pytest.mark.parametrize("shape", SHAPES)
def test_a_refused_medium_in_every_shape(shape: str, kind: str, bundled: bool, order: str) -> None:
    offer, answer = BOTH.sent, BOTH.body
    if order == "sound first":
        offer, answer = swapped(offer), swapped(answer)
    agreed = agree(offer, refuse(answer, kind, shape, bundled=bundled))
    assert agreed.refused == (MEDIA[kind],)
    assert set(agreed.media) == set(MEDIA.values()) - {MEDIA[kind]}
    lines = agreed.sdp.splitlines()
    assert [line.split()[0] for line in sections(agreed)] == [
        line.split()[0] for line in offer.splitlines() if line.startswith("m=")
    ]
    assert lines.count("a=recvonly") == 2, "webrtcbin hears that all is taken"
    assert "a=inactive" not in lines
    for needed in ("mid", "ice-ufrag", "ice-pwd", "setup", "rtcp-mux"):
        assert sum(line.startswith(f"a={needed}") and "size" not in line for line in lines) == 2


def test_only_what_a_sections_own_answer_accepts_is_used() -> None:
    livekit = next(one for one in read("livekit") if one.status == 201)
    agreed = agree(livekit.sent, livekit.body)
    assert (agreed.media["picture"].numbered, agreed.media["sound"].numbered) == (True, False)
    assert (agreed.media["picture"].repeats, agreed.media["sound"].repeats) == (True, False)
    mediamtx = agree(BOTH.sent, BOTH.body)
    assert not mediamtx.media["picture"].repeats
    assert " 97" not in mediamtx.sdp, "no format of retransmissions that the server did not take"


def test_which_stream_repeats_which_is_passed_on() -> None:
    group = "a=ssrc-group:FID 11 12\r\na=ssrc:11 cname:x\r\na=ssrc:12 cname:x\r\n"
    agreed = agree(BOTH.sent, BOTH.body.replace("a=rtcp-rsize\r\n", "a=rtcp-rsize\r\n" + group, 1))
    assert all(line in agreed.sdp for line in group.splitlines()), "or nothing lost is repaired"


def test_an_answer_that_says_it_kindly_is_taken() -> None:
    kind = "\ufeff" + BOTH.body.replace("\r\n", "\n") + "\0"
    assert agree(BOTH.sent, kind).media == agree(BOTH.sent, BOTH.body).media
    of_session = BOTH.body.replace("a=ice-ufrag:", "a=x:").replace("a=ice-pwd:", "a=x:")
    head = "a=group:BUNDLE"
    credentials = f"a=ice-ufrag:abcd\r\na=ice-pwd:{'p' * 22}\r\n{head}"
    assert agree(BOTH.sent, of_session.replace(head, credentials)).refused == ()
    assert agree(BOTH.sent, BOTH.body.replace("a=recvonly\r\n", "")).refused == ()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("v=0", "<html>", "no SDP"),
        ("a=ice-ufrag:", "a=x:", "no ICE credentials"),
        ("a=ice-pwd:", "a=x:", "no ICE credentials"),
        ("a=fingerprint:", "a=x:", "no DTLS fingerprint"),
        ("a=setup:active", "a=setup:actpass", "setup"),
        ("a=recvonly", "a=inactive", "none of picture and sound"),
        ("a=recvonly", "a=sendonly", "none of picture and sound"),
        ("m=video 9", "m=video nine", "no SDP"),
        ("m=video", "m=application", "application and audio where video and audio"),
        ("SAVPF 96", "SAVPF", None),
        ("SAVPF 96", "SAVPF 102", None),
        ("a=rtpmap:96 H264", "a=rtpmap:96 VP8", None),
    ],
)
def test_what_is_wrong_is_said(old: str, new: str, says: str | None) -> None:
    answer = BOTH.body.replace(old, new)
    assert answer != BOTH.body
    if says is None:
        assert agree(BOTH.sent, answer).refused == ("picture",)
        return
    with pytest.raises(Unusable, match=says):
        agree(BOTH.sent, answer)


def test_another_order_and_another_number_of_media() -> None:
    with pytest.raises(Unusable, match="audio and video, the offer's as video and audio"):
        agree(BOTH.sent, swapped(BOTH.body))
    with pytest.raises(Unusable, match="it has video where video and audio"):
        agree(BOTH.sent, BOTH.body.split("m=audio")[0])
    with pytest.raises(Unusable, match="nothing where video and audio"):
        agree(BOTH.sent, BOTH.body.split("m=video")[0])


def test_credentials_that_are_too_short() -> None:
    for name, value in (("ice-ufrag", "abc"), ("ice-pwd", "p" * 21)):
        lines = [
            f"a={name}:{value}" if f"a={name}" in line else line for line in BOTH.body.splitlines()
        ]
        with pytest.raises(Unusable, match=f"a={name} is too short"):
            agree(BOTH.sent, "\r\n".join(lines) + "\r\n")


def test_mutated_answers_are_taken_or_refused_with_a_reason() -> None:
    """The long form: `./scripts/bench answers`."""
    taken = 0
    for offer, answer in answers(2_000, seed=1):
        try:
            agreed = agree(offer, answer)
        except Unusable:
            continue
        taken += 1
        assert set(agreed.media) | set(agreed.refused) <= {"picture", "sound"}
        assert len(sections(agreed)) == offer.count("\r\nm=")
    assert 200 < taken < 1_900, "they are neither all broken nor all well"


def test_a_picture_in_single_packets_is_not_for_us() -> None:
    single = BOTH.body.replace("packetization-mode=1", "packetization-mode=0")
    assert agree(BOTH.sent, single).refused == ("picture",)
    high = BOTH.body.replace("profile-level-id=42e01f", "profile-level-id=640028")
    assert agree(BOTH.sent, high).refused == ("picture",), "another profile than is sent"
    constrained = BOTH.body.replace("profile-level-id=42e01f", "profile-level-id=42c01f")
    assert agree(BOTH.sent, constrained).refused == ()


@pytest.mark.parametrize("level", ["0b", "15", "1f", "28", "34"])
def test_the_servers_level_is_no_reason_to_keep_the_picture_back(level: str) -> None:
    """Servers that only forward repeat one that is written in them; what they decode, they judge by the stream."""
    said = BOTH.body.replace("profile-level-id=42e01f", f"profile-level-id=42e0{level}")
    assert agree(BOTH.sent, said).refused == ()
