"""The offer's text: what is changed for other ends, and what is left as it is."""

from __future__ import annotations

import pytest

from agent.core.model.h264 import level
from agent.media.webrtc.sdp import readable, without_sound_repeats

OFFER = """v=0
m=video 9 UDP/TLS/RTP/SAVPF 96 97
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1
a=ssrc-group:FID 1 2
a=ssrc:1 cname:x
a=ssrc:2 cname:x
m=audio 0 UDP/TLS/RTP/SAVPF 111 98
a=bundle-only
a=ssrc-group:FID 30 3
a=ssrc:30 msid:y
a=ssrc:30 cname:y
a=ssrc:3 msid:y
a=ssrc:3 cname:y
a=mid:audio1
""".replace("\n", "\r\n")


def test_a_port_a_profile_and_no_bundle_only() -> None:
    offer = readable(OFFER)
    assert "m=audio 9 UDP" in offer
    assert "a=bundle-only" not in offer
    assert "a=fmtp:96 packetization-mode=1;profile-level-id=42e01f" in offer
    assert readable(offer) == offer


@pytest.mark.parametrize(
    ("width", "height", "framerate", "offered"),
    [(640, 360, 30, "42e01f"), (1280, 720, 30, "42e01f"), (1920, 1080, 30, "42e028")],
)
def test_the_level_is_that_of_the_cameras_picture(
    width: int, height: int, framerate: float, offered: str
) -> None:
    offer = readable(OFFER, level(width, height, framerate))
    assert f"packetization-mode=1;profile-level-id={offered};level-asymmetry" in offer


def test_who_sends_heeds_a_limit_and_who_only_receives_promises_none() -> None:
    feedback = OFFER.replace(
        "a=ssrc-group:FID 1", "a=rtcp-fb:96 transport-cc\r\na=ssrc-group:FID 1"
    )
    sending = readable(feedback.replace("a=mid", "a=sendonly\r\na=mid"))
    assert "a=rtcp-fb:96 transport-cc\r\na=rtcp-fb:96 goog-remb\r\n" in sending
    assert readable(sending) == sending
    assert "goog-remb" not in readable(feedback.replace("a=mid", "a=recvonly\r\na=mid"))


def test_a_stream_is_named_once_for_its_medium() -> None:
    offer = readable(OFFER)
    assert offer.count("a=msid:y\r\n") == 1
    assert offer.index("a=msid:y") > offer.index("m=audio")


def test_sound_has_one_stream_and_the_picture_keeps_both() -> None:
    left = without_sound_repeats(OFFER).splitlines()
    gone = [line for line in OFFER.splitlines() if line not in left]
    assert gone == ["a=ssrc-group:FID 30 3", "a=ssrc:3 msid:y", "a=ssrc:3 cname:y"]
    assert len(left) == len(OFFER.splitlines()) - len(gone)


def test_an_offer_that_only_receives_stays_as_it_is() -> None:
    offer = OFFER.replace("a=ssrc", "a=x")
    assert without_sound_repeats(offer) == offer
