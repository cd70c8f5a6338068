"""One attempt at a session ends, whatever hangs."""

from __future__ import annotations

import threading

import pytest

from agent.core.model.commands import Endpoint
from agent.core.model.hosts import AllowedHosts
from agent.errors import MediaError
from agent.media.loop import Loop
from agent.media.pipeline import Pipeline, SharedClock
from agent.media.webrtc import session
from agent.media.webrtc.session import Events, MediaSession
from tests.support.loopback import ADDRESS, LOCAL_HOSTS
from tests.support.session_network import make_network


def test_an_attempt_that_never_gets_to_its_offer_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "ATTEMPT_SECONDS", 0.5)
    failed: list[MediaError] = []
    over = threading.Event()

    def on_failed(error: MediaError) -> None:
        failed.append(error)
        over.set()

    loop = Loop()
    thread = threading.Thread(target=loop.run)
    thread.start()
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
        loop.post(loop.stop)
        thread.join(60)
