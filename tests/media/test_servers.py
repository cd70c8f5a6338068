"""The meeting with each of the media servers of the world, as the test server is like them.

What the room publishes comes back to itself: one media process is both rooms.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec import structs

from agent.core.model.commands import Endpoint
from agent.core.model.hosts import AllowedHosts
from agent.core.model.media import DownlinkReported, Measured, SessionsReported, UplinkReported
from agent.media.webrtc import signaling
from agent.media.webrtc.dialing import Dialer
from agent.media.webrtc.http import HttpClient, Refused
from tests.media.rooms import flowing, plan, room, snapshot
from tests.support.likeness import LIKENESSES
from tests.support.loopback import LOCAL_HOSTS
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.pictures import shows
from tests.support.sounds import purity, read_wav
from tests.support.waiting import wait_for

ALL = [*LIKENESSES][1:]
PLAYED = [name for name in ALL if LIKENESSES[name].whep_url]
TOKEN = "s3cret"
ONE_DEVICE = [("mediamtx", "camera"), ("mediamtx", "microphone")]
ONE_DEVICE += [("go2rtc", "microphone")]
"""MediaMTX fills what is missing by a stand-in, so both ways; Janus itself is in `test_janus`."""


def shown(measured: Measured) -> bool:
    """Whether the played source has pictures."""
    return (measured.figures.downlinks[0].frames_per_second or 0) > 5


@pytest.mark.parametrize("like", PLAYED)
def test_a_source_leaves_and_comes_back(like: str) -> None:
    with MediaServer(token=TOKEN, like=like) as server, MediaProcess(room()) as player:
        with MediaProcess(room()) as other:
            other.start(plan(publish=server.whip("hub"), token=TOKEN))
            other.wait(UplinkReported, flowing)
            player.start(plan(play=[server.whep("hub")], token=TOKEN))
            player.wait(DownlinkReported, flowing)
            player.wait(Measured, shown)
            assert other.stop() == 0
        player.wait(DownlinkReported, lambda r: r.state == "stalled")
        told = len(player.reports)
        with MediaProcess(room()) as other:
            other.start(plan(publish=server.whip("hub"), token=TOKEN))
            player.wait(DownlinkReported, flowing, 15, after=told)
            player.wait(Measured, shown, after=told)
            assert other.stop() == 0
        assert player.stop() == 0
        assert server.sessions() == [] or not LIKENESSES[like].names_players


@pytest.mark.parametrize(("like", "devices"), ONE_DEVICE)
def test_a_room_with_one_device_is_published_and_played(like: str, devices: str) -> None:
    has = room(camera=devices == "camera", microphone=devices == "microphone")
    with MediaServer(like=like) as server, MediaProcess(has) as process:
        process.start(plan(publish=server.whip("x"), play=[server.whep("x")]))
        process.wait(DownlinkReported, flowing, 15)
        assert process.stop() == 0


@pytest.mark.parametrize("like", ALL)
def test_a_wrong_token_is_refused_and_not_shown(like: str) -> None:
    """The right one goes with each meeting above and below."""
    client = HttpClient(Dialer(), AllowedHosts(tuple(LOCAL_HOSTS)))
    with MediaServer(token=TOKEN, like=like) as server:
        urls = {signaling.publish: server.whip("x")}
        if like in PLAYED:
            urls[signaling.play] = server.whep("x")
        for offer, url in urls.items():
            with pytest.raises(Refused) as refused:
                offer(client, Endpoint(url, "wr0ng-t0ken"), "v=0")
            assert "wr0ng-t0ken" not in refused.value.text
            assert "nobody publishes" not in refused.value.text
        assert server.sessions() == []


def test_what_is_not_numbered_for_feedback_is_not_lost() -> None:
    """As LiveKit, which takes it for the picture alone."""
    with MediaServer(token=TOKEN, like="livekit") as server, MediaProcess(room()) as process:
        process.start(plan(publish=server.whip("x"), token=TOKEN))
        process.wait(UplinkReported, flowing)
        late = process.wait(
            Measured, lambda m: process.when(UplinkReported, flowing) + 6 < process.now(), 15
        )
        assert not late.figures.uplink.picture_given_up
        assert late.figures.uplink.picture_target_bits_per_second >= 600_000


@pytest.mark.parametrize("like", ["janus", "ome"])
def test_a_room_whose_media_process_died_is_not_locked_out(like: str) -> None:
    with MediaServer(token=TOKEN, like=like) as server:
        url = server.whip("x")
        with MediaProcess(room()) as process:
            process.start(plan(publish=url, token=TOKEN))
            process.wait(UplinkReported, flowing)
            process.process.kill()
            left = process.wait(SessionsReported, lambda r: len(r.open) == 1).open
        with MediaProcess(room()) as process:
            process.start(structs.replace(plan(publish=url, token=TOKEN), leftovers=left))
            process.wait(UplinkReported, lambda r: r.state not in ("connecting", "connected"))
            process.wait(UplinkReported, flowing, 2)
            assert process.stop() == 0
            assert process.said(SessionsReported)[-1].open == []
        assert server.sessions() == []


def test_a_server_that_makes_the_offer_itself() -> None:
    """By 201; Janus's VideoRoom, which does so by 406, is in `test_janus`."""
    name = "old-hub"
    with MediaServer(like="janus") as server, MediaProcess(room()) as process:
        process.start(plan(publish=server.whip(name), play=[server.whep(name)]))
        process.wait(DownlinkReported, flowing)
        process.wait(Measured, shown)
        assert process.stop() == 0
        assert server.sessions() == []


def test_a_server_that_goes_in_good_order_is_noticed_at_once() -> None:
    server = MediaServer()
    with MediaProcess(room()) as process:
        process.start(plan(publish=server.whip("x"), play=[server.whep("x")]))
        process.wait(DownlinkReported, flowing)
        before = process.now()
        server.close()
        process.wait(UplinkReported, lambda r: r.state == "stalled")
        process.wait(DownlinkReported, lambda r: r.state == "stalled")
        assert process.when(UplinkReported, lambda r: r.state == "stalled") - before < 2
        assert process.when(DownlinkReported, lambda r: r.state == "stalled") - before < 2


def test_a_source_of_other_codecs_is_seen_and_heard(
    media_server: MediaServer, tmp_path: Path
) -> None:
    heard, seen, green = tmp_path / "heard.wav", tmp_path / "seen.png", (40, 180, 60)
    source = Publisher(media_server.whip("old"), colour=green, codecs=("VP8", "PCMU"))
    with source, MediaProcess(room(record=str(heard))) as process:
        process.start(plan(play=[media_server.whep("old")]))
        process.wait(Measured, shown)
        wait_for(lambda: shows(snapshot(process, seen), green), 10, "the peer's colour")
        wait_for(lambda: purity(read_wav(heard)[-24_000:], 660) > 0.9, 10, "its tone")
        assert process.stop() == 0
