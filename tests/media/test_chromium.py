"""Meetings with Chromium, which shares no WebRTC code with the agent or with aiortc.

Through the media server, and with nothing in between: the room's own offers answered by Chromium.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.core.model.media import DownlinkReported, Measured, UplinkReported
from agent.devices.camera.pattern import COLOURS_RGB
from tests.media.rooms import TONE_HZ, flowing, plan, room, snapshot
from tests.support.browser_peer import BrowserPeer, endpoint, make_camera, make_microphone
from tests.support.chromium import Chromium
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.pictures import framed, read_number, shows
from tests.support.sounds import frequency, purity, read_wav
from tests.support.waiting import wait_for

pytestmark = pytest.mark.paired

PURPLE = (150, 60, 170)
BROWSER_TONE_HZ = 730
PATIENCE_SECONDS = 30


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    folder = tmp_path_factory.mktemp("chromium")
    camera = make_camera(folder / "camera.y4m", PURPLE)
    with Chromium(camera, make_microphone(folder / "microphone.wav", BROWSER_TONE_HZ)) as browser:
        yield browser


@pytest.fixture
def peer(browser: Chromium) -> Iterator[BrowserPeer]:
    with BrowserPeer(browser) as peer:
        yield peer


def check_sees_and_hears_the_room(peer: BrowserPeer) -> None:
    wait_for(lambda: peer.pictures_decoded() > 0, PATIENCE_SECONDS, "a picture")

    def shown() -> int | None:
        picture = peer.picture()
        return (
            read_number(picture) if picture is not None and shows(picture, COLOURS_RGB[0]) else None
        )

    first = wait_for(shown, PATIENCE_SECONDS, "the room's test picture")
    decoded = peer.pictures_decoded()
    wait_for(lambda: shown() not in (None, first), PATIENCE_SECONDS, "another picture of the room")
    wait_for(lambda: peer.pictures_decoded() > decoded + 10, PATIENCE_SECONDS, "more and more")
    wait_for(lambda: purity(peer.hear(), TONE_HZ) > 0.9, PATIENCE_SECONDS, "the room's tone")
    assert frequency(peer.hear()) == pytest.approx(TONE_HZ, abs=3)


def check_shows_and_plays_the_browser(process: MediaProcess, folder: Path) -> None:
    """The room's loudspeaker is recorded in heard.wav."""
    process.wait(DownlinkReported, flowing, PATIENCE_SECONDS)
    process.wait(Measured, lambda m: m.figures.downlinks[0].frames_per_second)
    screen, heard = folder / "screen.png", folder / "heard.wav"
    wait_for(lambda: shows(snapshot(process, screen), PURPLE), PATIENCE_SECONDS, "its picture")
    first = read_number(framed(snapshot(process, screen)))
    wait_for(
        lambda: read_number(framed(snapshot(process, screen))) != first,
        PATIENCE_SECONDS,
        "its next picture",
    )
    wait_for(
        lambda: purity(read_wav(heard)[-24_000:], BROWSER_TONE_HZ) > 0.9,
        PATIENCE_SECONDS,
        "its tone",
    )


def test_chromium_sees_and_hears_the_room(peer: BrowserPeer, media_server: MediaServer) -> None:
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("to-chromium")))
        process.wait(UplinkReported, flowing)
        peer.play(media_server.whep("to-chromium"))
        check_sees_and_hears_the_room(peer)
        assert process.stop() == 0


def test_the_room_sees_and_hears_chromium(
    peer: BrowserPeer, media_server: MediaServer, tmp_path: Path
) -> None:
    peer.publish(media_server.whip("from-chromium"))
    with MediaProcess(room(record=str(tmp_path / "heard.wav"))) as process:
        process.start(plan(play=[media_server.whep("from-chromium")]))
        check_shows_and_plays_the_browser(process, tmp_path)
        assert process.stop() == 0


def test_the_room_publishes_to_chromium_itself(peer: BrowserPeer) -> None:
    with endpoint(peer) as url, MediaProcess(room()) as process:
        process.start(plan(publish=url))
        check_sees_and_hears_the_room(peer)
        process.wait(UplinkReported, flowing)
        assert process.stop() == 0
        assert peer.figures()["state"] == "closed", "the room said DELETE"


def test_the_room_plays_chromium_itself(peer: BrowserPeer, tmp_path: Path) -> None:
    with endpoint(peer) as url, MediaProcess(room(record=str(tmp_path / "heard.wav"))) as process:
        process.start(plan(play=[url]))
        check_shows_and_plays_the_browser(process, tmp_path)
        assert process.stop() == 0
        assert peer.figures()["state"] == "closed", "the room said DELETE"
