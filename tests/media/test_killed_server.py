"""The media server is killed and started again, many times in a row, and nobody touches the room.

DIEMCAU_KILLS=20 is the long form that issue 4 asks for; the suite does three. How long the server
stays away is chosen at random, also too short to be noticed; the seed is printed by a failing run.
"""

from __future__ import annotations

import os
import random
import time
from typing import NamedTuple

import psutil
import pytest

from agent.core.model.media import DownlinkReported, Measured, UplinkReported
from tests.media.rooms import plan, room
from tests.support.media_process import MediaProcess
from tests.support.media_server import MediaServer
from tests.support.waiting import wait_for

pytestmark = pytest.mark.paired

KILLS = min(int(os.environ.get("DIEMCAU_KILLS", "3")), 20)
LONGEST_AWAY_SECONDS = 8.0
NOTICED_SECONDS, BACK_SECONDS = 5.0, 3.0
SLACK_SECONDS = 10.0
"""For a machine that runs other tests at the same time; the bench is strict."""

SETTLE_SECONDS = 30.0
"""Threads that say DELETE to a dead server end by then."""


class Held(NamedTuple):
    """What the media process holds open."""

    files: int
    threads: int
    children: int


ONE_SESSION = Held(files=14, threads=2, children=0)
"""The last one may still be on its way out. A leak would hold two more after each kill."""


def held(pid: int) -> Held:
    process = psutil.Process(pid)
    return Held(process.num_fds(), process.num_threads(), len(process.children(recursive=True)))


def test_a_killed_server_is_noticed_and_its_return_too() -> None:
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    print(f"seed {seed}")
    server = MediaServer()
    with MediaProcess(room()) as process:
        process.start(plan(publish=server.whip("r"), play=[server.whep("r")]))
        flowing(process, 10.0)
        process.wait(Measured)
        first = settled(process, server)
        for _ in range(KILLS):
            told, died = len(process.reports), time.monotonic()
            server.kill()
            time.sleep(dice.uniform(0.0, LONGEST_AWAY_SECONDS))
            server = MediaServer(server.port)
            noticed(process, died + NOTICED_SECONDS + SLACK_SECONDS, told)
            flowing(process, BACK_SECONDS + SLACK_SECONDS, told)
            settled(process, server, first)
        assert process.stop() == 0
        assert server.sessions() == [], "no session is left behind"
    server.close()


def noticed(process: MediaProcess, deadline: float, after: int) -> None:
    for kind in (UplinkReported, DownlinkReported):
        left = max(deadline - time.monotonic(), 0.1)
        process.wait(kind, lambda report: report.state == "stalled", left, after)


def flowing(process: MediaProcess, seconds: float, after: int = 0) -> None:
    deadline = time.monotonic() + seconds
    for kind in (UplinkReported, DownlinkReported):
        left = max(deadline - time.monotonic(), 0.1)
        process.wait(kind, lambda report: report.state == "flowing", left, after)


def settled(process: MediaProcess, server: MediaServer, most: Held | None = None) -> Held:
    """One session each way, and no more held than `most`."""
    now, kinds = held(process.pid), list[str]()

    def look() -> Held | None:
        nonlocal now, kinds
        now = held(process.pid)
        kinds = sorted(session["kind"] for session in server.sessions())
        small = most is None or all(
            n <= m + s for n, m, s in zip(now, most, ONE_SESSION, strict=True)
        )
        return now if kinds == ["whep", "whip"] and small else None

    def what() -> str:
        return f"one session each way and about {most} held; it is {kinds}, {now}"

    return wait_for(look, SETTLE_SECONDS, what)
