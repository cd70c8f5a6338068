"""The meeting with each of the media servers of the world, as the test server is like them.

What the room publishes comes back to itself: one media process is both rooms.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import pytest
from msgspec import structs

from agent.core.model.commands import Endpoint
from agent.core.model.hosts import AllowedHosts
from agent.core.model.media import (
    DownlinkReported,
    Measured,
    OpenSession,
    SessionsReported,
    UplinkReported,
)
from agent.media.webrtc import signaling
from agent.media.webrtc.dialing import Dialer
from agent.media.webrtc.http import HttpClient, Refused
from agent.settings import Devices
from tests.media.rooms import flowing, plan, room, snapshot
from tests.support.likeness import LIKENESSES
from tests.support.loopback import LOCAL_HOSTS
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.peers import Publisher
from tests.support.pictures import shows
from tests.support.sounds import purity, read_wav
from tests.support.waiting import wait_for

ALL = ["mediamtx", "go2rtc", "janus", "livekit", "ome"]
PLAYED = [name for name in ALL if LIKENESSES[name].whep_url]
TOKEN = "s3cret"


def shown(measured: Measured) -> bool:
    """Whether the played source has pictures."""
    return (measured.figures.downlinks[0].frames_per_second or 0) > 5


class Meeting:
    """Two rooms at a server that is like one of the world's: each publishes, and plays the other where it may."""

    def __init__(self, like: str, stack: ExitStack, *has: Devices) -> None:
        """A process for each of these stands ready: what takes longest of all is that they load."""
        self.like, self.likeness = like, LIKENESSES[like]
        self.processes = [stack.enter_context(MediaProcess(devices)) for devices in has]
        self.server = MediaServer(token=TOKEN, like=like)
        stack.callback(self._close)

    def come(
        self, process: MediaProcess, name: str, other: str, left: Sequence[OpenSession] = ()
    ) -> None:
        """`left`: what its process before this one could not end."""
        play = [self.server.whep(other)] if self.likeness.whep_url else []
        begun = plan(publish=self.server.whip(name), play=play, token=TOKEN)
        process.start(structs.replace(begun, leftovers=list(left)))

    def nameless_players(self, source: str) -> set[str]:
        """Sessions of those who play it that have no address: whoever dies leaves them to the server's own time-out."""
        if self.likeness.names_players:
            return set()
        return {one["id"] for one in self.server.sessions(source) if one["kind"] == "whep"}

    def meets(self, *rooms: MediaProcess, after: Sequence[int] = (0, 0)) -> None:
        """All that they send and play flows, of what they said after so many reports each."""
        for process, since in zip(rooms, after, strict=True):
            process.wait(UplinkReported, flowing, after=since)
            if self.likeness.whep_url:
                process.wait(DownlinkReported, flowing, after=since)

    def _close(self) -> None:
        self.server.close()

    def restart(self) -> None:
        """Killed, as by a power cut, and back on its port."""
        self.server.kill()
        self.server = MediaServer(self.server.port, token=TOKEN, like=self.like)


@pytest.mark.parametrize("like", ALL)
def test_two_rooms_meet_whatever_becomes_of_server_and_rooms(like: str) -> None:
    """Who plays is there first; the server is killed; a room crashes and is back, without its camera; all leave."""
    with ExitStack() as stack:
        meeting = Meeting(like, stack, room(microphone=False), room(), room(camera=False))
        deaf, other, back = meeting.processes
        meeting.come(deaf, "deaf", "other")
        deaf.wait(UplinkReported, flowing)
        meeting.come(other, "other", "deaf")
        meeting.meets(deaf, other)
        if meeting.likeness.whep_url:
            for process in (deaf, other):
                process.wait(Measured, shown)

        said = len(deaf.reports), len(other.reports)
        meeting.restart()
        meeting.meets(deaf, other, after=said)

        said = len(deaf.reports), 0
        other.kill()
        nameless = meeting.nameless_players("deaf")
        left = other.said(SessionsReported)[-1].open
        if meeting.likeness.whep_url:
            deaf.wait(DownlinkReported, lambda r: r.state == "stalled", after=said[0])
        said = len(deaf.reports), 0
        meeting.come(back, "other", "deaf", left)
        meeting.meets(back, after=(0,))
        if meeting.likeness.whep_url:
            deaf.wait(DownlinkReported, flowing, after=said[0])

        for process in (back, deaf):
            assert process.stop() == 0
        wait_for(
            lambda: {one["id"] for one in meeting.server.sessions()} <= nameless,
            5,
            "no session, but for one of who died that nobody can name",
        )


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
        for kind in (UplinkReported, DownlinkReported):  # either may be there first
            process.wait(kind, flowing)
        server.close()
        for kind in (UplinkReported, DownlinkReported):
            said = process.wait(kind, lambda r: r.state == "stalled")
            assert "the server ended the session" in said.text, "and not that nothing came for long"


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
