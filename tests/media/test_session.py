"""One session ends, whatever hangs, and its server knows of it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent.core.model.commands import Endpoint, Source
from agent.core.model.hosts import AllowedHosts
from agent.errors import MediaError
from agent.media.gst import Gst, GstWebRTC
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.receiving import decoding
from agent.media.webrtc import session
from agent.media.webrtc.session import Events, MediaSession
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.session_network import make_network
from tests.support.waiting import wait_for


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.post(made.stop)
    thread.join(60)


def test_an_attempt_that_never_gets_to_its_offer_fails(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "ATTEMPT_SECONDS", 0.5)
    failed: list[MediaError] = []
    over = threading.Event()

    def on_failed(error: MediaError) -> None:
        failed.append(error)
        over.set()

    # without media there are no candidates to gather, so there never comes an offer
    pipeline = Pipeline(SharedClock(), "fakesrc ! fakesink webrtcbin name=webrtc", print)
    attempt = MediaSession(
        loop,
        pipeline,
        Endpoint(f"http://{ADDRESS}:9/nobody/whip"),
        make_network(ADDRESS, AllowedHosts(tuple(LOCAL_HOSTS))),
        Events(on_connected=over.set, on_failed=on_failed),
    )
    try:
        loop.post(attempt.start)
        assert over.wait(60)
        assert "no media connection within 0.5 s" in failed[0].text
    finally:
        pipeline.close()


def test_a_session_without_an_address_has_said_good_bye_when_it_is_closed(loop: Loop) -> None:
    """Also where the socket takes its time: the packet was taken back with the pipeline once of two times, and the
    server kept the session until its own time-out."""
    connected = threading.Event()
    with MediaServer(like="go2rtc") as server, Publisher(server.whip("x")):
        pipeline = Pipeline(SharedClock(), "webrtcbin name=webrtc bundle-policy=max-bundle", print)
        receive = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
        caps = Gst.Caps.from_string(decoding.offered()["audio"])
        pipeline["webrtc"].emit("add-transceiver", receive, caps)
        network = make_network(ADDRESS, AllowedHosts(tuple(LOCAL_HOSTS)))
        events = Events(on_connected=connected.set, on_failed=lambda error: print(error.text))
        played = MediaSession(loop, pipeline, Source(server.whep("x")), network, events)
        loop.post(played.start)
        assert connected.wait(60)
        (socket,) = (one for one in elements(pipeline) if one.get_name().startswith("nicesink"))
        socket.get_static_pad("sink").add_probe(Gst.PadProbeType.BUFFER, slow)
        played.close().join(60)
        wait_for(
            lambda: [one["kind"] for one in server.sessions()] == ["whip"], 5, "that it is gone"
        )


def slow(_pad: Any, _info: Any) -> Any:
    time.sleep(0.1)
    return Gst.PadProbeReturn.OK


def elements(pipeline: Pipeline) -> Iterator[Any]:
    found = pipeline.bin.iterate_recurse()
    while (step := found.next())[0] == Gst.IteratorResult.OK:
        yield step[1]
