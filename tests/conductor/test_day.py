"""The agenda's meetings, begun and ended by the conductor: what it does by itself, and what it leaves to people."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import structs

from agent.conductor.core.model.acts import End, Extend, Mode, StartMeeting
from agent.conductor.core.model.events import LinkDown, LinkUp
from agent.conductor.core.model.seen import SeenAgenda, SeenHealth, SeenReadiness
from agent.conductor.core.model.views import DayView
from agent.conductor.store.journal import Journal
from agent.core.model.agenda import Agenda, AgendaItem
from agent.core.model.commands import Attendance, Meeting
from tests.conductor.playbook import PROFILE, START, Playbook

MINUTE = 60
CHAIRED = structs.replace(PROFILE, agenda_chair="a")
EVERYBODY = "group/all-of-us"


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def item(name: str = "gb", starts: float = 10, ends: float = 40, **fields: Any) -> AgendaItem:
    meeting = fields.pop("meeting", f"meeting-{name}")
    return AgendaItem(name, name, at(starts), at(ends), Attendance(Meeting(meeting)), **fields)


class Day(Playbook):
    """A conductor whose rooms have an agenda."""

    version = 0

    def publish(self, *items: AgendaItem, address: str = EVERYBODY) -> None:
        self.version += 1
        document = Agenda(1, self.version, START, at(14 * 24 * 60), list(items))
        self.tell(SeenAgenda(address, document))

    def until(self, minutes: float) -> list[str]:
        """Let it become so late; the meetings that run then."""
        self.wait(minutes * MINUTE - self.seconds)
        return [one.id for one in self.core.running()]

    def plan(self) -> list[DayView]:
        return self.core.views.day(self.now.wall)


def test_a_meeting_of_the_agenda_begins_two_minutes_before_and_ends_by_itself() -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.publish(item())
    assert day.until(7.9) == []
    assert day.until(8.1) == ["meeting-gb"]
    view = day.view("meeting-gb")
    assert (view.started_by, view.mode, view.chair) == ("agenda", Mode.CHAIR_GRANTS, "a")
    assert {row.room: row.status for row in view.roster} == {"a": "present", "b": "present"}
    assert day.until(39) == ["meeting-gb"]
    assert day.until(60) == []


def test_without_a_chair_s_room_it_is_a_discussion_or_says_why_it_is_none() -> None:
    few = Day("a", "b")
    few.publish(item())
    assert few.until(9) == ["meeting-gb"]
    assert few.view("meeting-gb").mode is Mode.DISCUSSION
    many = Day("a", "b", "c", "d", "e")
    many.publish(item())
    assert many.until(9) == []
    assert "choose another mode" in many.plan()[0].problem


def test_it_begins_none_that_an_operator_ended() -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.publish(item())
    day.until(12)
    day.act(End("meeting-gb"))
    assert day.until(20) == []
    day.publish(item())
    assert day.until(25) == [], "the same document again is no reason"


def test_a_restart_begins_nothing_twice() -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.publish(item())
    day.until(12)
    number = day.view("meeting-gb").number
    day.die_and_return()
    day.version -= 1
    day.publish(item())
    assert day.until(15) == ["meeting-gb"]
    assert day.view("meeting-gb").number == number
    day.act(End("meeting-gb"))
    day.wait(5)
    begun = [
        one.what.act.item
        for one in day.journal
        if isinstance(getattr(one.what, "act", None), StartMeeting)
    ]
    again = Day("a", "b", profile=CHAIRED)
    again.core.restore([], 7, begun)
    again.publish(item())
    assert again.until(15) == [], "what is over stands in the journal too"


def test_one_that_is_cancelled_or_taken_out_or_moved_away_is_ended() -> None:
    for changed in ([item(cancelled=True)], [], [item(starts=30)]):
        day = Day("a", "b", profile=CHAIRED)
        day.publish(item())
        assert day.until(12) == ["meeting-gb"]
        day.publish(*changed)
        assert day.until(13) == [], changed
        assert {room.meeting for room in day.rooms.values()} == {None}
    assert day.until(29) == ["meeting-gb"], "at its new time"


def test_an_end_that_is_moved_is_followed_and_one_given_by_hand_stays() -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.publish(item())
    day.until(12)
    for minutes in (50, 45):
        day.publish(item(ends=minutes))
        assert day.view("meeting-gb").until == at(minutes)
    day.act(Extend("meeting-gb", at(90)))
    day.publish(item(ends=60))
    assert day.view("meeting-gb").until == at(90)


def test_the_next_item_of_the_same_meeting_goes_on_with_it() -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.publish(item("one", 10, 40, meeting="gb"), item("two", 40, 60, meeting="gb"))
    day.until(38.1)
    assert day.view("gb").until == at(60)
    day.until(41)
    day.publish(item("two", 40, 60, meeting="gb"))
    assert day.until(50) == ["gb"], "the first one is over and gone from the document"


def test_a_meeting_that_an_operator_began_is_his() -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.act(StartMeeting("meeting-gb", ["a", "b"], chair="b"))
    day.publish(item())
    assert day.until(12) == ["meeting-gb"]
    day.publish(item(cancelled=True))
    assert day.until(13) == ["meeting-gb"]
    assert day.view("meeting-gb").chair == "b"


def test_what_an_operator_began_and_ended_does_not_begin_after_a_restart(tmp_path: Path) -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.act(StartMeeting("meeting-gb", ["a", "b"], chair="b"))
    day.publish(item())
    day.until(12)
    day.act(End("meeting-gb"))
    day.wait(5)
    journal = Journal(tmp_path)
    journal.write(day.journal)
    again = Day("a", "b", profile=CHAIRED)
    again.core.restore(journal.open_entries(), journal.last_number(), journal.begun_for_agenda())
    journal.close()
    again.publish(item())
    assert again.until(15) == []


def test_without_the_hub_nothing_begins_and_with_it_what_is_on() -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.publish(item())
    day.tell(LinkDown("away"))
    assert day.until(20) == []
    day.tell(LinkUp())
    assert day.until(21) == ["meeting-gb"]


def test_a_conductor_may_leave_the_agenda_alone() -> None:
    day = Day("a", "b", profile=structs.replace(CHAIRED, agenda=False))
    day.publish(item())
    assert day.until(20) == []
    assert day.plan()[0].title == "gb", "shown it is"


def test_the_day_shows_every_room_s_verdict_the_worst_first() -> None:
    day = Day("a", "b", "c", profile=CHAIRED)
    day.publish(item())
    day.publish(item("later", 30 * 60, 31 * 60), address="room/a")
    day.tell(SeenHealth("a", readiness=SeenReadiness("go")))
    day.tell(SeenHealth("b", readiness=SeenReadiness("no-go")))
    (shown,) = day.plan()
    assert [(row.room, row.verdict) for row in shown.rooms] == [
        ("b", "no-go"),
        ("c", "unknown"),
        ("a", "go"),
    ]


def test_a_room_that_has_it_cancelled_for_itself_cancels_it_for_no_other() -> None:
    day = Day("a", "b", "c", profile=CHAIRED)
    day.publish(item())
    day.publish(item(cancelled=True), address="room/c")
    assert day.until(9) == ["meeting-gb"]
    day.publish(item(cancelled=True), address="room/b")
    assert day.until(12) == ["meeting-gb"]
    day.publish(item(cancelled=True))
    assert day.until(13) == []


def test_a_clock_that_is_set_back_a_little_ends_nothing() -> None:
    day = Day("a", "b", profile=CHAIRED)
    day.publish(item())
    assert day.until(8.1) == ["meeting-gb"]
    day.jumped = timedelta(seconds=-30)
    day.publish(item(), address="room/a")
    assert day.until(8.3) == ["meeting-gb"]
