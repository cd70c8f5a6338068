"""The conductor's core alone: what a room costs it with 212 rooms and with 3,321; rooms are simulated and obey at once."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

from agent.conductor.core.model.acts import End, Give, Take
from tests.bench.row import Row
from tests.conductor.playbook import Playbook

FEW, MANY = 212, 3321
LIMIT_RATIO = 2.5
"""Of a room's cost among many to its cost among few."""

LIMIT_HAND_MILLISECONDS = 20
LIMIT_MEGABYTES = 200
PARTS = {"start": "call to all in", "floor": "floor given", "end": "end to all out"}


class Cost:
    """CPU seconds for each part, with so many rooms; one process's memory at its end."""

    def __init__(self, rooms: int) -> None:
        names = [f"xa-{number:04}" for number in range(rooms)]
        self.rooms = rooms
        before = _megabytes()
        play = Playbook(*names)
        self.start = _timed(lambda: play.start(names[0]))
        self.floor = _timed(lambda: play.act(Give("hop", names[1])))
        play.act(Take("hop", names[1]))
        self.hand = _timed(lambda: play.raise_hand(names[2]))
        self.end = _timed(lambda: play.act(End("hop")))
        self.megabytes = _megabytes() - before

    def each_microseconds(self, part: str) -> float:
        seconds: float = getattr(self, part)
        return 1e6 * seconds / self.rooms


def _timed(action: Callable[[], object]) -> float:
    began = time.process_time()
    action()
    return time.process_time() - began


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure() -> list[Row]:
    few, many = Cost(FEW), Cost(MANY)
    return [
        *(
            Row(
                f"core, {what}: a room of {MANY}, of {FEW}",
                many.each_microseconds(part),
                "us",
                LIMIT_RATIO,
                few.each_microseconds(part),
            )
            for part, what in PARTS.items()
        ),
        Row(f"core, a hand among {MANY}", 1e3 * many.hand, "ms", LIMIT_HAND_MILLISECONDS),
        Row(f"core, memory for {MANY} rooms", many.megabytes, "MB", LIMIT_MEGABYTES),
    ]
