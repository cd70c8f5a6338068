"""The test server itself: two aiortc peers meet through it, and it forgets nobody."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.support.media_server import MediaServer
from tests.support.peers import Publisher, Receiver
from tests.support.pictures import read_number, shows
from tests.support.sounds import frequency, purity
from tests.support.waiting import wait_for

BLUE = (30, 60, 200)


def test_picture_and_tone_arrive_and_sessions_end(media_server: MediaServer) -> None:
    with (
        Publisher(media_server.whip("hall"), colour=BLUE, tone_hz=523.25),
        Receiver(media_server.whep("hall")) as receiver,
    ):
        picture = receiver.wait_for_picture()
        assert shows(picture, BLUE)
        assert read_number(receiver.wait_for_picture()) > read_number(picture)
        sound = receiver.hear(1.0)
        assert frequency(sound) == pytest.approx(523.25, abs=2)
        assert purity(sound, 523.25) > 0.9
        assert {s["kind"] for s in media_server.sessions("hall")} == {"whip", "whep"}
    assert media_server.sessions("hall") == []


def test_absent_source_is_404(media_server: MediaServer) -> None:
    with pytest.raises(ConnectionError, match="404"), Receiver(media_server.whep("nobody")):
        pass


def test_players_end_with_their_publisher(media_server: MediaServer) -> None:
    with (
        Publisher(media_server.whip("leaver")) as publisher,
        Receiver(media_server.whep("leaver")) as receiver,
    ):
        receiver.wait_for_picture()
        publisher.close()
        wait_for(lambda: receiver.state == "closed", 5, "the player is closed")
    assert media_server.sessions("leaver") == []


def test_bearer_token() -> None:
    with MediaServer(token="secret") as server:
        with pytest.raises(ConnectionError, match="401"), Publisher(server.whip("hall")):
            pass
        with Publisher(server.whip("hall"), token="secret"):
            assert [s["kind"] for s in server.sessions()] == ["whip"]
        assert server.sessions() == []


def test_delete_of_an_unknown_session_is_404(media_server: MediaServer) -> None:
    request = urllib.request.Request(f"{media_server.url}/session/none", method="DELETE")
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request, timeout=60)
