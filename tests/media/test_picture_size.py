"""How much of a picture a room sends is changed in its meeting: size, rate and bits as a receiver that is not ours and
the server see them, in one session.
"""

from __future__ import annotations

import time

import pytest

from agent.core.model.commands import PictureSize
from agent.core.model.media import Applied, DeviceReported, SetPicture, UplinkReported
from tests.media.rooms import TONE_HZ, flowing, plan, room
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.peers import Receiver
from tests.support.sounds import frequency
from tests.support.waiting import wait_for

pytestmark = pytest.mark.paired

FULL, SMALL = (360, 640), (180, 320)
MEASURED_SECONDS = 4.0


def order(process: MediaProcess, size: PictureSize) -> None:
    said = len(process.reports)
    process.send(SetPicture(size, request=size))
    process.wait(Applied, lambda applied: applied.request == size, after=said)


def seconds_until(peer: Receiver, size: tuple[int, int]) -> float:
    begun = time.monotonic()
    wait_for(lambda: peer.wait_for_picture().shape[:2] == size, 10, f"a picture of {size}")
    return time.monotonic() - begun


def session(server: MediaServer, name: str) -> dict[str, object]:
    (found,) = [one for one in server.sessions(name) if one["kind"] == "whip"]
    return found


def measured(server: MediaServer, peer: Receiver, name: str) -> tuple[float, float]:
    """Bits a second on the link, by the server; pictures a second, by the receiver."""
    before, seen, begun = server.sessions(name), peer.pictures_received, time.monotonic()
    time.sleep(MEASURED_SECONDS)
    seconds = time.monotonic() - begun
    sent = server.sessions(name)[0]["bytes"]["video"] - before[0]["bytes"]["video"]
    return sent * 8 / seconds, (peer.pictures_received - seen) / seconds


def test_small_and_off_and_full_again_in_one_session(media_server: MediaServer) -> None:
    with MediaProcess(room()) as process:
        process.start(plan(publish=media_server.whip("size")))
        process.wait(UplinkReported, flowing)
        begun = session(media_server, "size")["id"]
        with Receiver(media_server.whep("size")) as peer:
            seconds_until(peer, FULL)
            order(process, "small")
            seconds_until(peer, SMALL)
            bits, pictures = measured(media_server, peer, "size")
            assert bits <= 80_000, "of a thumbnail, with its headers"
            assert 4 <= pictures <= 6
            order(process, "full")
            assert seconds_until(peer, FULL) <= 1.0, "with a keyframe at once"
            _, pictures = measured(media_server, peer, "size")
            assert pictures > 20
            order(process, "off")
            assert not process.said(DeviceReported, lambda r: r.device == "camera")[-1].open
            assert frequency(peer.hear(1.0)) - TONE_HZ < 2, "the sound goes on"
            before = session(media_server, "size")["packets"]["video"]  # type: ignore[index]
            peer.hear(0.5)
            after = session(media_server, "size")["packets"]["video"]  # type: ignore[index]
            assert before == after, "no picture"
            order(process, "full")
            assert seconds_until(peer, FULL) <= 2.0, "the camera is opened first"
            assert session(media_server, "size")["id"] == begun
