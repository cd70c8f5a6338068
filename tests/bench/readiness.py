"""The agenda's check of a hub's rooms: verdicts at the hub, and how evenly the checks are spread."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime, timedelta

from agent.conductor.requests import ShowDay
from agent.core.model.agenda import Agenda, AgendaItem, encode_agenda
from agent.core.model.commands import Attendance, Meeting
from tests.bench.fleet import COUNT, PATIENCE_SECONDS, Province, province
from tests.bench.row import Row
from tests.support.broker import Hub
from tests.support.installed import as_installed
from tests.support.waiting import wait_for

LONG = True
CORES_SHARE = 0.8
"""Of this machine's time for the checks of a minute; the rest is the daemons'."""

BUCKET_SECONDS = 5
AHEAD_SECONDS = 10
LIMIT_SECONDS = 90
LIMIT_BURST = 3
"""Times the even share of the checks that five seconds have at the most."""


def measure() -> list[Row]:
    with province() as (site, _):
        check_seconds = one_check(site)
        asked = site.names[
            : min(COUNT, int(60 * CORES_SHARE * (os.cpu_count() or 1) / check_seconds))
        ]
        return [
            Row("CPU time of one room's check", check_seconds, "s", None),
            Row(f"rooms that are checked, of {COUNT} online", len(asked), "", None),
            *verdicts(site, asked),
        ]


def one_check(site: Province) -> float:
    """The CPU time that a room's check takes, on this machine: of a process like the daemon's."""
    room = site.rooms[site.names[0]]
    command = [sys.executable, "-m", "agent.diagnostics.check_process"]
    command += ["--config", str(room.folder / "agent.yaml")]
    command += ["--socket", room.settings["control"]["socket"], "--quiet"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = as_installed(site.folder)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def verdicts(site: Province, rooms: list[str]) -> list[Row]:
    """From an hour before the meeting until the last room's verdict is at the conductor."""
    topics = ["diemcau/v1/room/+/event/readiness"]
    with Hub(site.broker.port, topics) as hub:
        now = datetime.now(UTC)
        hour_before = now + timedelta(seconds=AHEAD_SECONDS)
        starts = hour_before + timedelta(hours=1)
        ends, meeting = starts + timedelta(hours=1), Attendance(Meeting("giao-ban"))
        item = AgendaItem("gb", "Giao ban", starts, ends, meeting)
        document = encode_agenda(Agenda(1, 1, now, now + timedelta(days=1), [item]))
        for room in rooms:
            hub.send(f"diemcau/v1/room/{room}/agenda", document, retain=True)
        began = time.monotonic() + (hour_before - datetime.now(UTC)).total_seconds()
        seen = Arrivals(hub, began)
        wait_for(lambda: seen.rooms() >= len(rooms), PATIENCE_SECONDS, "all verdicts", 0.2)
        seconds = time.monotonic() - began
        wait_for(lambda: known(site) == len(rooms), 10, "all of them are on the day", 0.2)
        shown = time.monotonic() - began
    return [
        Row(f"verdicts of {len(rooms)} rooms, all there after T-60", seconds, "s", LIMIT_SECONDS),
        Row("all of them on the page's day", shown, "s", LIMIT_SECONDS),
        Row("most in 5 s, of an even share", seen.burst(len(rooms)), "", LIMIT_BURST),
    ]


def known(site: Province) -> int:
    """The rooms whose verdict the day shows."""
    day = site.conductor.ask(ShowDay()).day or []
    return sum(row.verdict in ("go", "no-go") for one in day for row in one.rooms)


class Arrivals:
    """When each room's verdict came."""

    def __init__(self, hub: Hub, began: float) -> None:
        self._hub = hub
        self._began = began
        self._at: dict[str, float] = {}

    def rooms(self) -> int:
        for seen in list(self._hub.seen):
            self._at.setdefault(seen.topic.split("/")[3], time.monotonic() - self._began)
        return len(self._at)

    def burst(self, rooms: int) -> float:
        buckets = Counter(int(at // BUCKET_SECONDS) for at in self._at.values())
        return max(buckets.values()) / max(1.0, rooms * BUCKET_SECONDS / 60)
