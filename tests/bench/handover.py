"""The floor handed over between two rooms with real media: what a listener and the chair do not hear meanwhile.

Every room sends a tone of its own. Counted is how long neither the old speaker nor the new one is heard, while
the loudspeaker itself plays: the listener's hears the chair all the time.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from agent.conductor.core.model.acts import Give, Mode, StartMeeting
from tests.bench.row import Row
from tests.support.demo import listening
from tests.support.real_hub import RealHub, real_hub
from tests.support.room import Room
from tests.support.sounds import RATE_HZ, Sound

LONG = True
ROOMS = CHAIR, ONE, TWO, LISTENER = "xa-a", "xa-b", "xa-c", "xa-d"
HANDOVERS = 10
BEFORE_SECONDS = 1.0
AFTER_SECONDS = 2.0
"""The old speaker's stream has ended by then."""

LIMIT_SECONDS = 0.3


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-handover-") as folder,
        real_hub(Path(folder), ROOMS) as hub,
    ):
        begin(hub)
        gaps = [hand_over(hub, (TWO, ONE)[number % 2]) for number in range(HANDOVERS)]
    listeners, chairs, taken = zip(*gaps, strict=True)
    return [
        Row("hand-over, gap for a listener, median", statistics.median(listeners), "s", None),
        Row("hand-over, gap for a listener, worst", max(listeners), "s", LIMIT_SECONDS),
        Row("hand-over, gap for the chair, worst", max(chairs), "s", LIMIT_SECONDS),
        Row("until all see and hear the next, median", statistics.median(taken), "s", None),
    ]


def begin(hub: RealHub) -> None:
    """The meeting is on, and the first speaker is heard."""
    conductor = hub.site.conductor
    conductor.ask(StartMeeting("hop", list(ROOMS), chair=CHAIR, mode=Mode.ONE_BY_ONE))
    hub.wait_for_all("hop")
    conductor.ask(Give("hop", ONE))
    hub.wait_for_floor(CHAIR, ONE)


def hand_over(hub: RealHub, holder: str) -> tuple[float, float, float]:
    """Seconds without a speaker for the listener and for the chair, and until it is done."""
    ears = {room: Ear(hub.site.rooms[room]) for room in (LISTENER, CHAIR)}
    began = time.monotonic()
    hub.site.conductor.ask(Give("hop", holder))
    hub.wait_for_floor(CHAIR, holder)
    taken = time.monotonic() - began
    time.sleep(AFTER_SECONDS)
    speakers = frozenset({ONE, TWO})
    gaps = [hub.assembly.gap_seconds(ear.heard(), speakers) for ear in ears.values()]
    return gaps[0], gaps[1], taken


class Ear:
    """What a room's loudspeaker plays from a second before now on."""

    def __init__(self, room: Room) -> None:
        self._room = room
        heard = len(listening.read_growing_wav(room.speaker_recording))
        self._from = max(0, heard - int(BEFORE_SECONDS * RATE_HZ))

    def heard(self) -> Sound:
        return listening.read_growing_wav(self._room.speaker_recording)[self._from :]
