"""A downlink that is too narrow, with all that crosses it: HTTP and DTLS stand in the queue that the picture fills."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from agent.core.model.media import DownlinkReported, Measured, UplinkReported
from agent.settings import Media
from tests.media.rooms import TONE_HZ, flowing, plan, room
from tests.support.impairment import Conditions
from tests.support.line import FAR, Line
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.namespaces import ran_as_root
from tests.support.sounds import RATE_HZ, purity, read_wav
from tests.support.waiting import wait_for

pytestmark = pytest.mark.paired

WIDE = Conditions(delay_seconds=0.02)
NARROW = Conditions(delay_seconds=0.02, bits_per_second=150_000)
PIECE = RATE_HZ // 50
MEDIA = Media(allowed_hosts=["*", f"{FAR}/32"])


@pytest.fixture
def line() -> Iterator[Line]:
    if ran_as_root(__file__):
        pytest.skip("passed in a user namespace")
    try:
        made = Line()
    except OSError as error:
        pytest.skip(str(error))
    with made:
        yield made


def share_heard(recording: Path, seconds: float) -> float:
    """Of the last so many seconds, in pieces of 20 ms."""
    sound = read_wav(recording)[-int(seconds * RATE_HZ) :]
    pieces = [sound[at : at + PIECE] for at in range(0, len(sound) - PIECE, PIECE)]
    return float(np.mean([purity(piece, TONE_HZ) > 0.9 for piece in pieces]))


def test_a_picture_that_fills_the_line_is_given_up_for_the_sound_and_comes_back(
    line: Line, tmp_path: Path
) -> None:
    heard = tmp_path / "heard.wav"

    def given_up(measured: Measured) -> bool:
        return bool(measured.figures.downlinks[0].picture_given_up)

    def seen(measured: Measured) -> bool:
        return (measured.figures.downlinks[0].frames_per_second or 0) >= 20

    line.set(WIDE)
    with (
        MediaServer(place=line.place) as server,
        MediaProcess(room(), MEDIA, within=line.far.within) as sender,
        MediaProcess(room(record=str(heard)), MEDIA, within=line.near.within) as receiver,
    ):
        sender.start(plan(publish=server.whip("hills")))
        sender.wait(UplinkReported, flowing, 20)
        receiver.start(plan(play=[server.whep("hills")]))
        receiver.wait(Measured, seen, 20)
        told = len(receiver.reports)
        line.set(NARROW)
        receiver.wait(Measured, given_up, 20, after=told)
        wait_for(lambda: share_heard(heard, 3.0) >= 0.95, 20, "the sound")
        told_again = len(receiver.reports)
        line.set(WIDE)
        receiver.wait(Measured, seen, 60, after=told_again)
        links = [r for _, r in receiver.reports[told:] if isinstance(r, DownlinkReported)]
        stalled = [link for link in links if link.state == "stalled"]
        assert len(stalled) <= 1, (
            "lost for a moment at the most, when the picture had to be left first"
        )
        assert not links or links[-1].state == "flowing"

        def sessions() -> int:
            asking = f"import urllib.request as u; print(u.urlopen('{server.url}/sessions').read().decode())"
            return len(json.loads(line.far.run(sys.executable, "-c", asking)))

        wait_for(lambda: sessions() == 2, 20, "no session of a trial is left behind", 0.5)
