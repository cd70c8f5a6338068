"""The conductor killed twenty times in a meeting: nobody leaves, the floor is right again, the minutes are whole."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from agent.conductor.core.minutes import Minutes
from agent.conductor.core.model.acts import End, Give, Mode, StartMeeting
from agent.conductor.requests import ShowMinutes
from tests.bench.row import Row
from tests.support.broker import Broker
from tests.support.hub_site import HubSite
from tests.support.waiting import wait_for

LONG = True
KILLS = 20
LIMIT_SECONDS = 5
ROOMS = CHAIR, ONE, TWO = "xa-a", "xa-b", "xa-c"
PATIENCE_SECONDS = 60


def measure() -> list[Row]:
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-kills-") as folder,
        Broker(Path(folder) / "broker", persistent=True) as broker,
    ):
        site = HubSite(Path(folder), broker)
        try:
            for room in ROOMS:
                site.add_room(room)
            return kills(site)
        finally:
            site.close()


def kills(site: HubSite) -> list[Row]:
    """Each at another moment of a change of floor."""
    conductor = site.conductor
    conductor.start()
    conductor.wait_linked(PATIENCE_SECONDS)
    conductor.ask(StartMeeting("hop", list(ROOMS), chair=CHAIR, mode=Mode.ONE_BY_ONE))
    wait_for(
        lambda: set(conductor.statuses("hop").values()) == {"present"}, PATIENCE_SECONDS, "all"
    )
    slowest, left = 0.0, 0
    for number in range(KILLS):
        holder = (ONE, TWO)[number % 2]
        conductor.ask(Give("hop", holder))
        time.sleep(0.02 * number)
        conductor.kill()
        left += sum(site.meeting_of(room) != "hop" for room in ROOMS)
        conductor.start()
        conductor.wait_linked(PATIENCE_SECONDS)
        began = time.monotonic()
        wait_for(
            lambda holder=holder: floor(site) == [holder], PATIENCE_SECONDS, f"{holder} has it"
        )
        slowest = max(slowest, time.monotonic() - began)
    conductor.ask(End("hop"))
    found = conductor.ask(ShowMinutes("hop")).minutes
    assert found is not None
    return [
        Row(f"{KILLS} kills of the conductor, rooms that left", left, "", 0),
        Row("floor right again after its return", slowest, "s", LIMIT_SECONDS),
        Row("gaps and doubles in the minutes", faults(found), "", 0),
    ]


def floor(site: HubSite) -> list[str]:
    """The rooms that say that they have it."""
    states = {room: site.rooms[room].ask(type="status")["state"] for room in (ONE, TWO)}
    return [room for room, state in states.items() if (state.get("floor") or {}).get("held")]


def faults(found: Minutes) -> int:
    """Rooms that were there more or less than once, and floors that were given more or less than once."""
    there = [span.room for span in found.presence]
    floors = [span.room for span in found.floor]
    wanted = [(ONE, TWO)[number % 2] for number in range(KILLS)]
    return sum(there.count(room) != 1 for room in ROOMS) + (floors != wanted)
