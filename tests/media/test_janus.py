"""Meetings through a real Janus, which shares no code with ours and counts its peers itself.

DIEMCAU_ABANDONED=1 is the long form, which waits for Janus's own time-out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec import structs

from agent.core.model.media import DownlinkReported, Measured, SessionsReported, UplinkReported
from tests.media.rooms import flowing, plan, room
from tests.support.janus.server import MODULES, JanusServer, Peer
from tests.support.media_process import MediaProcess
from tests.support.waiting import wait_for

pytestmark = pytest.mark.skipif(
    not (MODULES / "node_modules").is_dir(),
    reason="no janus-whep-server: scripts/setup could not install it from npm",
)

NAMES = ("here", "there")
PATIENCE_SECONDS = 30.0
"""Most of these take 2 s on an idle machine."""

FORGOTTEN_SECONDS = 120.0
"""It takes Janus 66 s."""


@pytest.fixture(scope="module")
def janus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JanusServer]:
    with JanusServer(tmp_path_factory.mktemp("janus"), NAMES) as server:
        yield server


@pytest.fixture(autouse=True)
def nothing_is_left(janus: JanusServer) -> Iterator[None]:
    """After each test, as Janus counts it."""
    yield
    empty(janus)


def empty(janus: JanusServer, seconds: float = 15) -> None:
    wait_for(lambda: not janus.peers(), seconds, "Janus has no peers")


def shown(measured: Measured) -> bool:
    return (measured.figures.downlinks[0].frames_per_second or 0) > 5


def publish(janus: JanusServer, name: str = "there") -> MediaProcess:
    process = MediaProcess(room(), janus.media)
    process.start(plan(publish=janus.whip(name)))
    process.wait(UplinkReported, flowing, PATIENCE_SECONDS)
    return process


def test_two_rooms_meet(janus: JanusServer) -> None:
    with MediaProcess(room(), janus.media) as one, MediaProcess(room(), janus.media) as other:
        one.start(plan(publish=janus.whip("here"), play=[janus.whep("there")]))
        other.start(plan(publish=janus.whip("there"), play=[janus.whep("here")]))
        for process in one, other:
            process.wait(UplinkReported, flowing, PATIENCE_SECONDS)
            process.wait(DownlinkReported, flowing, PATIENCE_SECONDS)
            process.wait(Measured, shown, PATIENCE_SECONDS)
        published = [Peer("publisher", "here"), Peer("publisher", "there")]
        assert janus.peers() == [*published, *[Peer("subscriber", "")] * 2]
        assert one.stop() == other.stop() == 0
        empty(janus)


@pytest.mark.parametrize("devices", ["camera", "microphone"])
def test_a_room_with_one_device_is_published_and_played(janus: JanusServer, devices: str) -> None:
    has = room(camera=devices == "camera", microphone=devices == "microphone")
    with MediaProcess(has, janus.media) as process:
        process.start(plan(publish=janus.whip("here"), play=[janus.whep("here")]))
        process.wait(DownlinkReported, flowing, PATIENCE_SECONDS)
        assert process.stop() == 0


def test_a_source_leaves_and_comes_back(janus: JanusServer) -> None:
    with MediaProcess(room(), janus.media) as player:
        with publish(janus) as other:
            player.start(plan(play=[janus.whep("there")]))
            player.wait(DownlinkReported, flowing, PATIENCE_SECONDS)
            assert other.stop() == 0
        player.wait(DownlinkReported, lambda r: r.state == "stalled", PATIENCE_SECONDS)
        told = len(player.reports)
        with publish(janus) as other:
            player.wait(DownlinkReported, flowing, PATIENCE_SECONDS, after=told)
            player.wait(Measured, shown, PATIENCE_SECONDS, after=told)
            assert other.stop() == 0
        assert player.stop() == 0


def test_who_comes_back_after_a_crash_is_let_in_at_once(janus: JanusServer) -> None:
    with publish(janus) as died:
        left = died.wait(SessionsReported, lambda r: len(r.open) == 1, PATIENCE_SECONDS).open
        died.kill()
    with MediaProcess(room(), janus.media) as process:
        process.start(structs.replace(plan(publish=janus.whip("there")), leftovers=left))
        process.wait(UplinkReported, flowing, PATIENCE_SECONDS)
        assert not process.said(UplinkReported, lambda r: "403" in r.text)
        assert process.stop() == 0


@pytest.mark.skipif(
    "DIEMCAU_ABANDONED" not in os.environ, reason="takes a minute: DIEMCAU_ABANDONED=1 runs it"
)
def test_who_never_comes_back_leaves_nothing(janus: JanusServer) -> None:
    """Janus asks a silent peer for a minute whether it is there; nobody else ends its session."""
    with MediaProcess(room(), janus.media) as died:
        died.start(plan(publish=janus.whip("here"), play=[janus.whep("here")]))
        died.wait(DownlinkReported, flowing, PATIENCE_SECONDS)
        died.kill()
    assert len(janus.peers()) == 2, "Janus has not noticed yet"
    empty(janus, FORGOTTEN_SECONDS)


def test_an_answer_that_is_an_offer_and_cannot_be_answered(janus: JanusServer) -> None:
    """Its Streaming plugin by 201; the front takes no answer to that (422)."""
    with MediaProcess(room(), janus.media) as process:
        process.start(plan(play=[janus.whep("streaming-here")]))
        process.wait(DownlinkReported, lambda r: "422" in r.text, PATIENCE_SECONDS)
        assert process.stop() == 0


def test_tokens_and_a_restart(tmp_path: Path) -> None:
    with JanusServer(tmp_path, NAMES, token="s3cret") as server:
        with MediaProcess(room(), server.media) as process:
            wrong = plan(publish=server.whip("here"), play=[server.whep("here")], token="wr0ng")
            process.start(wrong)
            process.wait(UplinkReported, lambda r: r.state == "refused", PATIENCE_SECONDS)
            process.wait(DownlinkReported, lambda r: r.state == "refused", PATIENCE_SECONDS)
            assert "wr0ng" not in repr(process.reports)
        with MediaProcess(room(), server.media) as process:
            right = plan(publish=server.whip("here"), play=[server.whep("here")], token="s3cret")
            process.start(right)
            process.wait(DownlinkReported, flowing, PATIENCE_SECONDS)
            told = len(process.reports)
            server.kill()
            process.wait(
                UplinkReported, lambda r: r.state == "stalled", PATIENCE_SECONDS, after=told
            )
            process.wait(
                DownlinkReported, lambda r: r.state == "stalled", PATIENCE_SECONDS, after=told
            )
            server.start()
            process.wait(UplinkReported, flowing, PATIENCE_SECONDS, after=told)
            process.wait(DownlinkReported, flowing, PATIENCE_SECONDS, after=told)
            assert len(server.peers()) == 2
            assert process.stop() == 0
        empty(server)
