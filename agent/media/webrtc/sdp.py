"""What other ends need to read differently in the offers that webrtcbin writes.

Text in, text out; a line that is not there is left alone.
"""

from __future__ import annotations

import re

BASELINE = "profile-level-id=42e0{level:02x};level-asymmetry-allowed=1"
"""Constrained baseline, what RFC 7742 obliges everybody to take; decoders go by the stream itself."""

LEAST_LEVEL = 31
"""Ten times the level that every WebRTC offer names at least: 720p at 30 pictures a second."""

BEST_PORT = "9"
"""RFC 8840: the port of an m-line without a candidate yet; some servers refuse 0."""

LIMIT = "goog-remb"
"""The room heeds what a receiver says it can take, which some servers say only then; webrtcbin writes
nothing of the caps' `rtcp-fb-goog-remb` into the offer."""


def readable(offer: str, level: int = LEAST_LEVEL) -> str:
    """The offer as everybody reads it. `level`: ten times that of the H.264 that is sent."""
    offer = offer.replace("a=bundle-only\r\n", "")
    offer = re.sub(r"^m=(\w+) 0 ", rf"m=\1 {BEST_PORT} ", offer, flags=re.M)
    if "profile-level-id" not in offer:
        profile = BASELINE.format(level=level)
        offer = offer.replace("packetization-mode=1", f"packetization-mode=1;{profile}")
    if "a=sendonly" in offer and LIMIT not in offer:
        offer = re.sub(
            r"^(a=rtcp-fb:\d+ )transport-cc(\r?\n)", rf"\g<0>\1{LIMIT}\2", offer, flags=re.M
        )
    return _with_msids(offer)


def _with_msids(offer: str) -> str:
    """Which stream a medium belongs to in a line of its own too (RFC 8830): webrtcbin says it of each
    SSRC only, as was done before.
    """
    head, *media = re.split(r"^(?=m=)", offer, flags=re.M)
    return head + "".join(_with_msid(one) for one in media)


def _with_msid(media: str) -> str:
    found = re.search(r"^a=ssrc:\d+ msid:(.*?)\r?$", media, flags=re.M)
    if not found or re.search(r"^a=msid:", media, flags=re.M):
        return media
    line = f"a=msid:{found[1]}\r\n"
    at = re.search(r"^a=ssrc", media, flags=re.M)
    assert at
    return media[: at.start()] + line + media[at.start() :]


def without_sound_repeats(offer: str) -> str:
    """The offer without the stream in which sound is sent again: libwebrtc refuses a second SSRC in
    sound (ValidateStreamParams in webrtc_voice_engine.cc)."""
    head, *media = re.split(r"^(?=m=)", offer, flags=re.M)
    return head + "".join(_first_stream(one) if one.startswith("m=audio") else one for one in media)


def _first_stream(media: str) -> str:
    for repeats in re.findall(r"^a=ssrc-group:FID \d+ (\d+)", media, flags=re.M):
        media = re.sub(rf"^a=ssrc:{repeats} .*\n", "", media, flags=re.M)
    return re.sub(r"^a=ssrc-group:FID .*\n", "", media, flags=re.M)
