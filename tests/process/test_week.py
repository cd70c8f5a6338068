"""A week of the whole daemon by a clock that the test gives: in each meeting of its agenda, and in none else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from agent.core.model.agenda import Agenda, AgendaItem, encode_agenda
from agent.core.model.commands import Attendance, Meeting
from tests.support.broker import Broker, Hub, wait_until
from tests.support.room import Room

ROOT = "diemcau/week"
ROOM = f"{ROOT}/room/xa-a"
BEGIN = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
"""Midnight in UTC, seven in the morning in the room."""


def at(day: int, hour: int, minute: int) -> datetime:
    return BEGIN + timedelta(days=day, hours=hour, minutes=minute)


def meeting(name: str, starts: datetime, ends: datetime, *, cancelled: bool = False) -> AgendaItem:
    return AgendaItem(name, name, starts, ends, Attendance(Meeting(name)), cancelled=cancelled)


def morning(day: int, name: str) -> AgendaItem:
    """07:15 in the room."""
    return meeting(name, at(day, 0, 15), at(day, 1, 0))


PLANNED = [
    morning(0, "mon"),
    morning(1, "tue"),
    morning(2, "wed"),
    morning(3, "thu"),
    meeting("thu-next", at(3, 1, 0), at(3, 2, 0)),
    morning(4, "fri"),
    meeting("over-midnight", at(4, 16, 30), at(4, 17, 30)),
    morning(5, "sat"),
    morning(6, "sun"),
]
CHANGED = [
    *PLANNED[:1],
    meeting("tue", at(1, 7, 0), at(1, 8, 0)),
    meeting("wed", at(2, 0, 15), at(2, 1, 0), cancelled=True),
    *PLANNED[3:],
]
"""As it stands from Monday evening on: one moved to the afternoon, one cancelled."""

JOINS_AHEAD = timedelta(minutes=2)


class Moment(NamedTuple):
    """At this time the room is in this meeting, or in none (empty)."""

    time: datetime
    meeting: str
    what: str = ""


def expected(time: datetime) -> str:
    """Reckoned by itself: who began first keeps the room, to the end."""
    for item in CHANGED:
        before = [one for one in CHANGED if one.ends == item.starts and not one.cancelled]
        begins = item.starts if before else item.starts - JOINS_AHEAD
        if not item.cancelled and begins <= time < item.ends:
            return item.id
    return ""


def moments() -> list[Moment]:
    """Around every beginning and end, also of what was moved away or cancelled, and every three hours."""
    times = {BEGIN + timedelta(hours=3 * step + 2.7) for step in range(7 * 8)}
    for item in PLANNED + CHANGED:
        times |= {item.starts + timedelta(seconds=s) for s in (-150, -90, 60)}
        times |= {item.ends + timedelta(seconds=s) for s in (-30, 90)}
    found = [Moment(time, expected(time)) for time in times]
    found += [
        Moment(at(0, 0, 40), "mon", "power cut"),
        Moment(at(0, 12, 0), "", "changed agenda"),
        Moment(at(1, 20, 0), "", "power cut"),
        Moment(at(3, 0, 59), "thu", "power cut"),
        Moment(at(4, 0, 5), "", "hub away"),
        Moment(at(5, 23, 0), "", "hub back"),
    ]
    return sorted(found)


class Week:
    """The room, its hub and the clock."""

    def __init__(self, folder: Path) -> None:
        self.broker = Broker(folder / "hub", persistent=True)
        self.room = Room("xa-a", "Xã A", folder / "room")
        self.room.use_hub(self.broker.port, ROOT)
        self.room.settings["media"] |= {"publish_url": "http://127.0.0.1:9/whip", "play_urls": []}
        self.room.settings["agenda"] = {"check_minutes_before": []}
        self.ahead = folder / "ahead"
        self.observer = Hub(self.broker.port, [f"{ROOM}/event/agenda-joining"])
        self.boots = 0

    def boot(self) -> None:
        self.boots += 1
        boot_id = self.room.folder / "boot_id"
        boot_id.parent.mkdir(exist_ok=True)
        boot_id.write_text(f"boot-{self.boots}")
        options = [
            "--clock",
            str(self.ahead),
            "--boot-id",
            str(boot_id),
            "--media-process",
            "meeting",
        ]
        self.room.start(entry=("tests.support.crashing", str(self.room.folder / "steps"), *options))
        self.room.wait_answering()

    def set_clock(self, time: datetime) -> None:
        """Replaced as a whole: the daemon reads it at any moment."""
        with tempfile.NamedTemporaryFile("w", dir=self.ahead.parent, delete=False) as file:
            file.write(str((time - datetime.now(UTC)).total_seconds()))
        Path(file.name).replace(self.ahead)

    def publish(self, version: int, items: list[AgendaItem]) -> None:
        document = Agenda(1, version, BEGIN, BEGIN + timedelta(days=14), items)
        with Hub(self.broker.port, []) as hub:
            hub.send(f"{ROOM}/agenda", encode_agenda(document), retain=True)
        wait_until(lambda: self.wednesday() == (version == 2), "the agenda is there")

    def wednesday(self) -> bool | None:
        """Whether Wednesday's is cancelled by the agenda that the room goes by; None without one."""
        items = {one["id"]: one for one in self.room.ask(type="agenda")["items"]}
        return items["wed"].get("cancelled", False) if "wed" in items else None

    def meeting(self) -> str | None:
        """The meeting that it is in, empty in standby, None in between."""
        self.room.ask(type="ping")  # whatever comes in makes the daemon look at its clock
        state = self.room.ask(type="status")["state"]
        settled = {"standby": "", "in-meeting": (state.get("meeting") or {}).get("id")}
        return settled.get(state["phase"])

    def live(self, moment: Moment) -> None:
        self.set_clock(moment.time)
        if moment.what == "power cut":
            self.room.kill()
            self.boot()
        elif moment.what == "hub away":
            self.broker.stop()
        elif moment.what == "hub back":
            with self.room.frozen():  # who is away hears nothing
                self.broker.start()
                self.observer.wait_back()
        elif moment.what == "changed agenda":
            self.publish(2, CHANGED)
        wait_until(
            lambda: self.meeting() == moment.meeting,
            lambda: (
                f"{moment} (now {self.room.ask(type='status')['state']}): {self.room.log_tail()}"
            ),
        )


@pytest.fixture
def week(tmp_path: Path) -> Iterator[Week]:
    week = Week(tmp_path)
    week.set_clock(BEGIN)
    with week.broker:
        week.boot()
        week.room.wait_online()
        week.publish(1, PLANNED)
        yield week
        week.room.stop()


def test_a_week_of_meetings(week: Week) -> None:
    with week.observer as hub:
        for moment in moments():
            week.live(moment)
        wait_until(
            lambda: hub.seen and hub.seen[-1].document["detail"]["item"] == "sun",
            "the last one is told",
        )
        told = [seen.document["detail"]["item"] for seen in hub.seen]
    attended = [
        item.id for item in sorted(CHANGED, key=lambda one: one.starts) if not item.cancelled
    ]
    assert told == attended, "each once, those that it joined with the hub away too"
