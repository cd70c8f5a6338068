"""Lips and sound of a source are seen and heard together, whatever loudspeaker and screen take."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from agent.core.model.media import UplinkReported
from agent.media.receiving.lipsync import SOUND_LATE_NANOSECONDS, LipSync, Paths
from tests.media.rooms import plan
from tests.support.impairment import BadNetwork, Conditions
from tests.support.lips import EARLY_MILLISECONDS, LATE_MILLISECONDS, Witness, clapping_room
from tests.support.loudspeaker import Loudspeaker
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.viewer import viewing
from tests.support.waiting import wait_for

pytestmark = pytest.mark.paired

FRAMERATE = 30
CLAPS = 12
STALL_SECONDS = 0.15
ALIKE_MILLISECONDS = 20
SETTLING_SECONDS = 8.0
TOLD_SECONDS, HIDDEN_SECONDS = 0.05, 0.1
MILLISECOND = 1_000_000


def test_a_television_s_loudspeaker_is_waited_for(
    media_server: MediaServer, tmp_path: Path
) -> None:
    """150 ms late, of which the driver tells 50 and the settings 100, and with a clock of its own."""
    loudspeaker = Loudspeaker(ppm=200, told_seconds=TOLD_SECONDS, hidden_seconds=HIDDEN_SECONDS)
    gaps = watch(media_server, loudspeaker, tmp_path)
    late = float(np.median(gaps))
    assert -EARLY_MILLISECONDS < late < LATE_MILLISECONDS, gaps


def test_a_link_that_stalls_does_not_tear_them_apart(
    media_server: MediaServer, tmp_path: Path
) -> None:
    """As 3G does, without losing anything: half of the claps are even then as far from their pictures
    as each other.
    """
    with BadNetwork(media_server.url) as network:
        network.set(Conditions(stall_seconds=STALL_SECONDS))
        gaps = watch(network, Loudspeaker(hidden_seconds=HIDDEN_SECONDS), tmp_path)
    first, third = np.percentile(gaps, [25, 75])
    assert third - first < ALIKE_MILLISECONDS, gaps
    assert first > -EARLY_MILLISECONDS, gaps
    assert third < LATE_MILLISECONDS, gaps


def watch(server: MediaServer | BadNetwork, loudspeaker: Loudspeaker, folder: Path) -> list[float]:
    """How much later than seen the claps of a room are heard, in milliseconds, once all is settled."""
    witness = Witness(FRAMERATE)
    with MediaProcess(clapping_room(folder, width=640, height=360, bitrate=600_000)) as room:
        room.start(plan(publish=server.whip("claps")))
        room.wait(UplinkReported, lambda report: report.state == "flowing", 20)
        url = server.whep("claps")
        with viewing(url, lambda: loudspeaker, witness.on_picture, HIDDEN_SECONDS):
            wait_for(lambda: witness.pictures, 20, "a picture")
            since = time.monotonic() + SETTLING_SECONDS
            what = f"{CLAPS} whole claps"
            return wait_for(lambda: enough(witness, loudspeaker, since), 60, what)


def enough(witness: Witness, loudspeaker: Loudspeaker, since: float) -> list[float] | None:
    gaps = [gap.milliseconds for gap in witness.gaps(loudspeaker, since)]
    return gaps if len(gaps) >= CLAPS else None


def together(lips: LipSync, paths: Paths) -> bool:
    """Whether sound comes as much later than the picture as it should."""
    heard, seen = lips.sound + paths.to_ear, lips.picture + paths.to_eye
    return heard - seen == SOUND_LATE_NANOSECONDS


def test_the_picture_waits_for_a_slow_loudspeaker_and_the_sound_for_a_slow_screen() -> None:
    jitter = 40 * MILLISECOND
    for to_ear, to_eye in ((40, 0), (300, 0), (40, 40), (40, 250), (0, 0)):
        paths = Paths(to_ear * MILLISECOND, to_eye * MILLISECOND)
        lips = LipSync(jitter, paths)
        assert together(lips, paths), paths
        assert lips.picture >= jitter, "the picture's packets may be late by so much"
        assert lips.sound >= jitter - 10 * MILLISECOND, "and the sound's, beside the mixer's chunk"


def test_small_changes_move_the_picture_and_not_the_sound() -> None:
    lips = LipSync(40 * MILLISECOND, Paths(40 * MILLISECOND, 60 * MILLISECOND))
    sound = lips.sound
    changed = Paths(47 * MILLISECOND, 60 * MILLISECOND)
    lips.update(40 * MILLISECOND, changed)
    assert lips.sound == sound
    assert together(lips, changed)


def test_sound_that_has_to_wait_longer_than_the_jitter_buffer_is_waited_for_once() -> None:
    paths = Paths(40 * MILLISECOND, 0)
    lips = LipSync(300 * MILLISECOND, paths)
    before = lips.sound
    lips.update(300 * MILLISECOND, paths, 200 * MILLISECOND)
    assert lips.sound == before
    lips.update(300 * MILLISECOND, paths, 400 * MILLISECOND)
    assert lips.sound == 400 * MILLISECOND
    assert together(lips, paths)


def test_what_nobody_can_see_moves_nothing() -> None:
    lips = LipSync(40 * MILLISECOND, Paths(40 * MILLISECOND, 60 * MILLISECOND))
    picture = lips.picture
    for off in (1, -1, 1):
        lips.update(40 * MILLISECOND, Paths((40 + off) * MILLISECOND, 60 * MILLISECOND))
        assert lips.picture == picture
