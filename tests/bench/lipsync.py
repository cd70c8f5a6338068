"""How far lips and sound are apart, clap by clap: half a minute each without and with loss.

The loudspeaker has a clock of its own, 100 millionths off, and a delay as a television's. Limits are
EBU R37's; `./scripts/bench lipsync_long` looks for ten minutes.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np

from agent.core.model.media import UplinkReported
from tests.bench.media import FRAMERATE, plan
from tests.bench.row import Row
from tests.support.impairment import BadNetwork, Conditions
from tests.support.lips import EARLY_MILLISECONDS, LATE_MILLISECONDS, Gap, Witness, clapping_room
from tests.support.loudspeaker import Loudspeaker
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.viewer import viewing

SECONDS = 30.0
ADAPT_SECONDS = 12.0
PPM = 100.0
TOLD_SECONDS, HIDDEN_SECONDS = 0.02, 0.08
LEAST_WHOLE = 0.8
"""The share of claps that must have been heard whole for the rest to be believed."""


def measure() -> list[Row]:
    return measure_for(SECONDS)


def measure_for(seconds: float) -> list[Row]:
    with MediaServer() as server, BadNetwork(server.url) as network:
        rows = rows_of(watch(network, Conditions(), seconds), "lips", seconds)
        lossy = watch(network, Conditions(loss=0.05, delay_seconds=0.05), seconds)
        return rows + rows_of(lossy, "... at 5 % loss", seconds)


def rows_of(gaps: list[Gap], what: str, seconds: float) -> list[Row]:
    """The worst of each side, and how many claps say so."""
    late = [gap.milliseconds for gap in gaps] or [np.inf]
    heard = 100 * len(gaps) / seconds
    return [
        Row(f"{what}: claps whole", heard, "%", 100 * LEAST_WHOLE, at_least=True),
        Row(f"{what}: sound late, median", float(np.median(late)), "ms", LATE_MILLISECONDS),
        Row(f"{what}: sound late, at most", max(late), "ms", LATE_MILLISECONDS),
        Row(f"{what}: sound early, at most", -min(late), "ms", EARLY_MILLISECONDS),
    ]


def watch(network: BadNetwork, conditions: Conditions, seconds: float) -> list[Gap]:
    """The gaps of so long, after the receiver has got used to the network."""
    network.set(conditions)
    loudspeaker = Loudspeaker(ppm=PPM, told_seconds=TOLD_SECONDS, hidden_seconds=HIDDEN_SECONDS)
    witness = Witness(FRAMERATE)
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-bench-") as folder,
        MediaProcess(clapping_room(Path(folder))) as room,
    ):
        room.start(plan(publish=network.whip("claps")))
        room.wait(UplinkReported, lambda report: report.state == "flowing", 20)
        url = network.whep("claps")
        with viewing(url, lambda: loudspeaker, witness.on_picture, HIDDEN_SECONDS):
            time.sleep(ADAPT_SECONDS)
            since = time.monotonic()
            time.sleep(seconds + 1)
            gaps = witness.gaps(loudspeaker, since)
        room.stop()
    return [gap for gap in gaps if gap.clapped_seconds < since + seconds]
