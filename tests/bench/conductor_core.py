"""The conductor's core alone: what a room costs it in time and memory, with 212 rooms and with 3,321.

`python -m tests.bench.conductor_core` prints a line for each size; rooms are simulated and obey at once.
"""

from __future__ import annotations

import resource
import time

from agent.conductor.core.model.acts import End, Give, Take
from tests.conductor.playbook import Playbook

SIZES = (212, 3321)


class Cost:
    """Seconds for each part, with so many rooms; one process's memory at its end."""

    def __init__(self, rooms: int) -> None:
        names = [f"xa-{number:04}" for number in range(rooms)]
        self.rooms = rooms
        began = time.process_time()
        play = Playbook(*names)
        self.seen = time.process_time() - began
        self.start = self._timed(lambda: play.start(names[0]))
        self.floor = self._timed(lambda: play.act(Give("hop", names[1])))
        self._timed(lambda: play.act(Take("hop", names[1])))
        self.hand = self._timed(lambda: play.raise_hand(names[2]))
        self.end = self._timed(lambda: play.act(End("hop")))
        self.megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        self.whole = play.core.meetings == {}

    @staticmethod
    def _timed(action: object) -> float:
        began = time.process_time()
        action()  # type: ignore[operator]
        return time.process_time() - began


def main() -> None:
    for rooms in SIZES:
        cost = Cost(rooms)
        each = 1e6 / rooms
        print(
            f"{rooms} rooms: start {cost.start * each:.0f}, floor {cost.floor * each:.0f}, "
            f"end {cost.end * each:.0f} us a room; hand {cost.hand * 1e3:.1f} ms; {cost.megabytes:.0f} MB"
        )


if __name__ == "__main__":
    main()
