"""212 real daemons, media by a stand-in: a meeting begun, its floor given and ended; silent rooms; a hand on the page."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.conductor.core.model.acts import End, Give, StartMeeting, Take
from agent.conductor.core.model.views import MeetingView
from tests.bench.row import Row
from tests.support.broker import Broker, Hub, free_port
from tests.support.fleet import Fleet
from tests.support.hub_site import HubSite
from tests.support.installed import as_installed
from tests.support.waiting import wait_for

LONG = True
COUNT = int(os.environ.get("DIEMCAU_BENCH_ROOMS", "212"))
"""Rooms; fewer where a machine can't take them."""

DISK = "/dev/shm" if os.path.isdir("/dev/shm") else None
"""In the field each room has a disk of its own: 212 that wait for one another's would measure that."""

POLL_SECONDS = 0.1
"""An answer of the conductor has all rooms in it."""

SILENT = min(10, COUNT // 3)
FLOORS = 5
START_SECONDS, FLOOR_SECONDS, END_SECONDS = 5, 1, 5
"""For 212 rooms on a machine that does nothing else."""

HANDS = 40
PATIENCE_SECONDS = 120
PASSWORD = "một hai ba bốn năm"


class Province(HubSite):
    """So many rooms at one hub, the first one in the chair."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        super().__init__(folder, broker)
        self.conductor.settings["console"] = {"port": free_port()}
        self.names = [f"xa-{number:03}" for number in range(COUNT)]
        for name in self.names:
            self.make_room(name)

    def start(self) -> None:
        self.conductor.start()
        self.conductor.wait_linked(60)

    def view(self) -> MeetingView:
        return self.conductor.meeting("hop")

    def present(self) -> int:
        return sum(row.status == "present" for row in self.view().roster)


@contextmanager
def province() -> Iterator[tuple[Province, Fleet]]:
    """All online."""
    with (
        tempfile.TemporaryDirectory(prefix="diemcau-fleet-", dir=DISK) as folder,
        Broker(Path(folder) / "broker") as broker,
    ):
        site = Province(Path(folder), broker)
        with Fleet(list(site.rooms.values()), as_installed(Path(folder))) as fleet:
            for room in site.rooms.values():
                room.wait_online(PATIENCE_SECONDS)
            site.start()
            try:
                yield site, fleet
            finally:
                site.conductor.stop()


def measure() -> list[Row]:
    with province() as (site, fleet):
        return [*meeting(site), *silence(site, fleet), hands(site)]


def meeting(site: Province) -> list[Row]:
    begun = timed(lambda: site.conductor.ask(StartMeeting("hop", site.names, chair=site.names[0])))
    begun += timed(
        lambda: wait_for(
            lambda: site.present() == COUNT, PATIENCE_SECONDS, "all there", POLL_SECONDS
        )
    )
    floors = [change_floor(site, site.names[1 + number % 2]) for number in range(FLOORS)]
    ended = timed(lambda: site.conductor.ask(End("hop")))
    ended += timed(
        lambda: wait_for(lambda: over(site), PATIENCE_SECONDS, "all have left", POLL_SECONDS)
    )
    return [
        Row(f"{COUNT} rooms, call to all in meeting", begun, "s", START_SECONDS),
        Row(
            f"{COUNT} rooms, floor acknowledged by all",
            statistics.median(floors),
            "s",
            FLOOR_SECONDS,
        ),
        Row(f"{COUNT} rooms, end to all out", ended, "s", END_SECONDS),
    ]


def timed(action: Callable[[], object]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def over(site: Province) -> bool:
    from agent.conductor.requests import ListMeetings

    return not site.conductor.ask(ListMeetings()).meetings


def change_floor(site: Province, room: str) -> float:
    """Seconds until every room has said that it plays whom it shall, and this one that it has the floor."""
    with Hub(site.broker.port, ["diemcau/v1/room/+/ack/+"]) as hub:
        site.conductor.ask(Give("hop", room))
        began = time.monotonic()
        wait_for(lambda: acknowledged(hub, room), PATIENCE_SECONDS, "all acknowledged it")
        seconds = time.monotonic() - began
        site.conductor.ask(Take("hop"))
        wait_for(lambda: site.view().holders == [], PATIENCE_SECONDS, "nobody has it")
        wait_for(lambda: len(joined(hub)) >= 2 * COUNT, PATIENCE_SECONDS, "nobody is played")
    return seconds


def acknowledged(hub: Hub, room: str) -> bool:
    """Whether each room's join and this one's floor have succeeded."""
    floor = [one for one in finals(hub, "floor") if f"/room/{room}/" in one]
    return bool(floor) and len(joined(hub)) >= COUNT


def joined(hub: Hub) -> set[str]:
    """Joins that succeeded, by their topics."""
    return set(finals(hub, "join"))


def finals(hub: Hub, kind: str) -> list[str]:
    return [
        one.topic
        for one in list(hub.seen)
        if (one.document["type"], one.document["state"]) == (kind, "succeeded")
    ]


def silence(site: Province, fleet: Fleet) -> list[Row]:
    """Ten that say nothing: found and listed, called again, and in once they hear."""
    silent = site.names[-SILENT:]
    with fleet.frozen(silent):
        began = time.monotonic()
        site.conductor.ask(StartMeeting("hop", site.names, chair=site.names[0]))
        wait_for(
            lambda: (
                sorted(row.room for row in site.view().roster if row.status == "silent") == silent
            ),
            PATIENCE_SECONDS,
            "the silent are listed",
        )
        found = time.monotonic() - began
        calls = min(row.calls for row in site.view().roster if row.room in silent)
    back = timed(
        lambda: wait_for(
            lambda: site.present() == COUNT, PATIENCE_SECONDS, "all there", POLL_SECONDS
        )
    )
    return [
        Row(f"{SILENT} silent of {COUNT}: all listed", found, "s", None),
        Row("times they were called by then", calls, "", 2, at_least=True),
        Row("until they are in, once they hear", back, "s", None),
    ]


class Watcher:
    """The page's stream of changes, as a browser reads it; `seen` has when a room was first in the queue."""

    def __init__(self, site: Province) -> None:
        self.seen: dict[str, float] = {}
        port = site.conductor.settings["console"]["port"]
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "agent.conductor.main", "--config"]
        subprocess.run(
            [*command, str(site.conductor.config), "--account", "ha"],
            input=PASSWORD,
            text=True,
            check=True,
        )
        body = json.dumps({"name": "ha", "password": PASSWORD}).encode()
        with urllib.request.urlopen(
            urllib.request.Request(f"{url}/login", body, {"Origin": url})
        ) as answer:
            cookie = answer.headers["Set-Cookie"].partition(";")[0]
        request = urllib.request.Request(f"{url}/api/events", headers={"Cookie": cookie})
        self._stream = urllib.request.urlopen(request, timeout=60)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self._stream:
            if line.startswith(b"data: "):
                change: dict[str, Any] = json.loads(line[6:])
                for one in change.get("meetings", []):
                    for room in one["queue"]:
                        self.seen.setdefault(room, time.monotonic())


def hands(site: Province) -> Row:
    """From the press of a room's button to the page."""
    watcher = Watcher(site)
    delays = []
    for name in site.names[1 : 1 + min(HANDS, COUNT - 1 - SILENT)]:
        pressed = time.monotonic()
        site.rooms[name].ask(type="floor", state="queued")
        wait_for(lambda name=name: name in watcher.seen, 60, f"{name}'s hand")
        delays.append(watcher.seen[name] - pressed)
    return Row("a hand to the page, p95", 1000 * statistics.quantiles(delays, n=20)[-1], "ms", 300)
