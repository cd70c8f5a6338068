"""Whoever stands in the server's place gets nothing: the DTLS certificate must be the answer's."""

from __future__ import annotations

import hashlib
import os
import random
import ssl
import threading
import time

import pytest

from agent.core.model.commands import Endpoint
from agent.core.model.hosts import AllowedHosts
from agent.core.model.media import DownlinkReported, UplinkReported
from agent.errors import MediaError
from agent.media.gst import Gst, GstWebRTC
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.webrtc.certificate import make_certificate
from agent.media.webrtc.peer import WrongPeer, expected_fingerprints, matches
from agent.media.webrtc.session import Events, MediaSession
from tests.media.rooms import flowing, plan, room
from tests.support.falsifying import Falsify, FalsifyingProxy, colons, one_bit, with_fingerprints
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.session_network import make_network
from tests.support.waiting import wait_for

FALSIFIED = int(os.environ.get("DIEMCAU_FALSIFIED", "16"))
"""Attempts with a false answer, one session each."""

STRANGER = colons(bytes(range(32)))
FALSE: dict[str, Falsify] = {
    "stranger": with_fingerprints(f"sha-256 {STRANGER}"),
    "zeros": with_fingerprints("sha-256 " + colons(bytes(32))),
    "short": with_fingerprints("sha-256 00:11:22:33"),
    "none": with_fingerprints(),
    "no hex": with_fingerprints("sha-256 hello"),
    "sha-1": with_fingerprints("sha-1 " + colons(bytes(20))),
    "md5": with_fingerprints("md5 " + colons(bytes(16))),
    "unknown hash": with_fingerprints(f"sha-999 {STRANGER}"),
    "sha-512": with_fingerprints("sha-512 " + colons(bytes(64))),
    "several": with_fingerprints(f"sha-256 {STRANGER}", "sha-1 " + colons(bytes(20))),
}

# --- what is read of an answer


def line(pem: str, algorithm: str = "sha-256") -> str:
    digest = hashlib.new(algorithm.replace("-", ""), ssl.PEM_cert_to_DER_cert(pem)).digest()
    return f"a=fingerprint:{algorithm} {colons(digest)}\r\n"


def sdp(session: str = "", first: str = "", second: str = "") -> str:
    return f"v=0\r\n{session}m=audio 9 RTP/SAVPF 111\r\n{first}m=video 9 RTP/SAVPF 96\r\n{second}"


@pytest.fixture(scope="module")
def certificate() -> str:
    whole = make_certificate().pem
    return whole[whole.index("-----BEGIN CERT") :]


def accepts(certificate: str, answer: str) -> bool:
    try:
        return matches(certificate, expected_fingerprints(answer))
    except WrongPeer:
        return False


@pytest.mark.parametrize("algorithm", ["sha-256", "sha-384", "sha-512"])
def test_the_right_certificate_is_known_by_each_strong_hash(
    certificate: str, algorithm: str
) -> None:
    right = line(certificate, algorithm)
    assert accepts(certificate, sdp(right))
    assert accepts(certificate, sdp("", right, right))
    assert accepts(certificate, sdp(right.lower().replace("\r\n", "\n")))
    assert accepts(certificate, sdp(right.upper().replace("A=FINGERPRINT", "a=fingerprint")))


def test_one_of_several_lines_is_enough_if_its_hash_is_the_strongest(certificate: str) -> None:
    right, false = line(certificate), f"a=fingerprint:sha-256 {STRANGER}\r\n"
    weak = "a=fingerprint:sha-1 " + colons(bytes(20)) + "\r\n"
    assert accepts(certificate, sdp(false + right))
    assert accepts(certificate, sdp(weak + right))
    stronger = "a=fingerprint:sha-512 " + colons(bytes(64)) + "\r\n"
    assert not accepts(certificate, sdp(right + stronger)), "a weaker hash can't let anybody in"


def test_each_media_section_counts_and_goes_before_the_session(certificate: str) -> None:
    right, false = line(certificate), f"a=fingerprint:sha-256 {STRANGER}\r\n"
    assert accepts(certificate, sdp(false, right, right)), "the session's says nothing then"
    assert not accepts(certificate, sdp(right, right, false))
    assert not accepts(certificate, sdp(false, right, ""))
    assert not accepts(certificate, sdp("", line(certificate, "sha-1"), right))


def test_a_rejected_section_needs_none(certificate: str) -> None:
    answer = sdp("", line(certificate)).replace("m=video 9", "m=video 0")
    assert accepts(certificate, answer)


@pytest.mark.parametrize("false", [name for name in FALSE if name != "none"])
def test_false_lines_let_nobody_in(certificate: str, false: str) -> None:
    right = line(certificate)
    assert not accepts(certificate, FALSE[false](sdp("", right, right)))


# --- on the line


@pytest.mark.parametrize("false", ["stranger", "zeros", "short", "sha-1", "several"])
def test_a_room_sends_nothing_to_a_wrong_peer_and_does_not_ask_again_at_once(
    media_server: MediaServer, false: str
) -> None:
    name = f"wrong-{false.replace(' ', '-')}"
    with (
        MediaProcess(room()) as source,
        FalsifyingProxy(media_server.url, FALSE[false]) as proxy,
        MediaProcess(room()) as process,
    ):
        source.start(plan(publish=media_server.whip("right")))
        source.wait(UplinkReported, flowing)
        process.start(plan(publish=f"{proxy.url}/{name}/whip", play=[f"{proxy.url}/right/whep"]))
        up = process.wait(UplinkReported, lambda r: r.state == "wrong-peer")
        down = process.wait(DownlinkReported, lambda r: r.state == "wrong-peer")
        for report in (up, down):
            assert "fingerprint" in report.text
        wait_for(lambda: not media_server.sessions(name), 10, "the session is ended")
        asked = len(proxy.answers)
        time.sleep(2)
        assert len(proxy.answers) == asked == 2
        assert not process.said(UplinkReported, lambda r: r.state in ("connected", "flowing"))
        assert not process.said(DownlinkReported, lambda r: r.state in ("connected", "flowing"))


SOUND = """webrtcbin name=webrtc bundle-policy=max-bundle
 audiotestsrc is-live=true ! opusenc ! rtpopuspay pt=111
 ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000 ! webrtc."""


class Attempt:
    """A bare session that sends sound; `ended` gives what became of it."""

    def __init__(self, loop: Loop, url: str) -> None:
        self.outcome: MediaError | None = None
        self._over = threading.Event()
        pipeline = Pipeline(SharedClock(), SOUND, print)
        transceiver = pipeline["webrtc"].emit("get-transceiver", 0)
        transceiver.set_property("direction", GstWebRTC.WebRTCRTPTransceiverDirection.SENDONLY)
        self._session = MediaSession(
            loop,
            pipeline,
            Endpoint(url),
            make_network(ADDRESS, AllowedHosts(tuple(LOCAL_HOSTS))),
            Events(self._over.set, self._fail),
        )
        loop.post(self._session.start)

    def _fail(self, error: MediaError) -> None:
        self.outcome = error
        self._over.set()

    def ended(self) -> MediaError | None:
        assert self._over.wait(60)
        self._session.close().join(60)
        return self.outcome


def test_no_false_answer_lets_media_flow(media_server: MediaServer) -> None:
    assert Gst.is_initialized()
    dice = random.Random(3)
    loop = Loop()
    thread = threading.Thread(target=loop.run)
    thread.start()
    most = 0
    try:
        with FalsifyingProxy(media_server.url, lambda answer: answer) as proxy:
            assert Attempt(loop, f"{proxy.url}/honest/whip").ended() is None
            for number in range(FALSIFIED):
                proxy.falsify = one_bit(dice)
                attempt = Attempt(loop, f"{proxy.url}/false-{number}/whip")
                outcome = attempt._over.wait(60) and attempt.outcome
                for session in media_server.sessions(f"false-{number}"):
                    most = max(most, *session["packets"].values())
                attempt.ended()
                assert isinstance(outcome, WrongPeer), outcome
    finally:
        loop.post(loop.stop)
        thread.join(60)
    assert most == 0
