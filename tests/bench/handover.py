"""The floor handed over between rooms with real media: how long the chair hears neither the old speaker nor the new one.

Every room sends a tone of its own. A machine that is too busy has gaps of its own, with a hand-over or without: what
the hand-over itself costs is from the old tone's end to the new one's beginning.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from agent.conductor.core.model.acts import Give, Mode, StartMeeting
from tests.bench.row import Row
from tests.support.demo import listening
from tests.support.real_hub import RealHub, real_hub
from tests.support.room import Room
from tests.support.sounds import RATE_HZ, Sound
from tests.support.waiting import wait_for

LONG = True
ROOMS = CHAIR, ONE, TWO = "xa-a", "xa-b", "xa-c"
SPEAKERS = {ONE, TWO}
HANDOVERS = 10
AFTER_SECONDS = 2.0
QUIET_SECONDS = 5.0
HEARD_FRAMES = RATE_HZ // 4
PATIENCE_SECONDS = 20
LIMIT_SECONDS = 0.3


class Handover(NamedTuple):
    """`crossing`: from the old voice's end to the new one's beginning, less than 0 where both are heard. `silence`: the longest
    around it; `silence_before`: the longest in some seconds without one; `taken`: until the new one alone is heard. Seconds.
    """

    crossing: float
    silence: float
    silence_before: float
    taken: float


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-handover-") as folder,
        real_hub(Path(folder), ROOMS) as hub,
    ):
        begin(hub)
        pairs = [(ONE, TWO), (TWO, ONE)] * (HANDOVERS // 2)
        made = [hand_over(hub, old, new) for old, new in pairs]
    return [
        Row(
            "hand-over, old voice to new, worst",
            max(one.crossing for one in made),
            "s",
            LIMIT_SECONDS,
        ),
        Row("longest silence around it, median", median(made, "silence"), "s", LIMIT_SECONDS),
        Row("longest silence without one, median", median(made, "silence_before"), "s", None),
        Row("until the next alone is heard, median", median(made, "taken"), "s", None),
    ]


def median(made: list[Handover], what: str) -> float:
    return statistics.median(getattr(one, what) for one in made)


def begin(hub: RealHub) -> None:
    """The meeting is on, and the first speaker is heard."""
    conductor = hub.site.conductor
    conductor.ask(StartMeeting("hop", list(ROOMS), chair=CHAIR, mode=Mode.ONE_BY_ONE))
    hub.wait_for_all("hop")
    conductor.ask(Give("hop", ONE))
    hub.wait_for_floor(CHAIR, ONE)


def hand_over(hub: RealHub, old: str, new: str) -> Handover:
    ear = Ear(hub.site.rooms[CHAIR])
    time.sleep(QUIET_SECONDS)
    before = ear.heard()
    began = time.monotonic()
    hub.site.conductor.ask(Give("hop", new))
    wait_for(
        lambda: hub.assembly.heard(ear.heard()[-HEARD_FRAMES:]) == {new},
        PATIENCE_SECONDS,
        f"{new} is heard, and nobody else",
    )
    taken = time.monotonic() - began
    time.sleep(AFTER_SECONDS)
    sound = ear.heard()[len(before) :]
    gap = hub.assembly.gap_seconds
    crossing = hub.assembly.crossing_seconds(sound, old, new)
    return Handover(crossing, gap(sound, SPEAKERS), gap(before, SPEAKERS), taken)


class Ear:
    """What a room's loudspeaker plays from now on."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._from = len(listening.read_growing_wav(room.speaker_recording))

    def heard(self) -> Sound:
        return listening.read_growing_wav(self._room.speaker_recording)[self._from :]
