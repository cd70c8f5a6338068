"""The room's day: each row of docs/agenda.md as a dialogue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from agent.core.agenda.control import AgendaControl
from agent.core.model.agenda import Agenda, AgendaItem, AgendaMemory, AgendaRules
from agent.core.model.announcement import MeetingSoon, RoomVerdict
from agent.core.model.commands import Attendance, Code, Command, Leave, Meeting, Origin
from agent.core.model.documents import CheckFinding, DeviceStatus, Phase, Status
from agent.core.model.effects import (
    PublishEvent,
    RememberAgenda,
    StartCheck,
    StartMedia,
    SwitchDisplay,
)
from agent.core.model.events import (
    AgendaReceived,
    CheckEnded,
    CommandReceived,
    DevicesProbed,
    Restored,
)
from agent.core.model.media import UplinkReported
from agent.core.model.profile import Profile
from tests.core.playbook import PROFILE as PLAIN
from tests.core.playbook import START, Playbook

ROOM, GROUP = "room/xa-a", "group/giao-ban"
PROFILE = structs.replace(PLAIN, groups=("giao-ban",))
MINUTE = 60.0


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


def item(name: str = "a", starts: float = 60, ends: float = 90, **fields: Any) -> AgendaItem:
    join = fields.pop("join", Attendance(Meeting(f"meeting-{name}")))
    return AgendaItem(name, f"Title {name}", at(starts), at(ends), join, **fields)


class Day(Playbook):
    """A room with an agenda: media flow as soon as a media process is asked for."""

    def __init__(self, *items: AgendaItem, profile: Profile = PROFILE) -> None:
        super().__init__(profile)
        self.version = 0
        self.publish(*items)

    def publish(self, *items: AgendaItem, address: str = GROUP, **fields: Any) -> None:
        self.version += 1
        document = Agenda(1, self.version, START, at(14 * 24 * 60), list(items))
        self.receive(address, structs.replace(document, **fields))

    def receive(self, address: str, agenda: Agenda | None) -> None:
        self.tell(AgendaReceived(address, agenda))

    def until(self, minutes: float) -> str | None:
        """Let it become so late; answers every media process, and says which meeting the room is in."""
        while self.seconds < minutes * MINUTE:
            self.wait(min(5.0, minutes * MINUTE - self.seconds))
            self.settle()
        return self.meeting

    def settle(self) -> None:
        if self.phase is Phase.JOINING:
            self.light()
            self.flow()
        elif self.phase is Phase.LEAVING:
            self.exit("")

    @property
    def meeting(self) -> str | None:
        membership = self.room.lifecycle.membership
        return membership.id if membership and self.room.lifecycle.held else None


def test_the_room_joins_meets_and_leaves_by_itself() -> None:
    day = Day(item())
    assert day.until(57.5) is None
    assert day.until(58.5) == "meeting-a"
    assert not day.room.microphone.live, "it comes muted"
    assert day.until(90.5) == "meeting-a"
    assert day.until(91.6) is None
    assert "meeting-over" in day.events()


def test_the_display_is_on_five_minutes_before() -> None:
    profile = structs.replace(PROFILE, agenda=AgendaRules(check_minutes_before=()))
    day = Day(item(), profile=profile)
    day.until(54.5)
    assert day.all(SwitchDisplay) == []
    day.until(55.5)
    assert day.all(SwitchDisplay) == [SwitchDisplay(True)]


def test_who_left_is_not_brought_back_for_that_item() -> None:
    day = Day(item(), item("b", 120, 150))
    day.until(70)
    day.command("leave")
    day.settle()
    assert day.until(89) is None
    assert "agenda-dismissed" in day.events()
    assert day.until(119) == "meeting-b", "the next one is another matter"


@pytest.mark.parametrize("how", ["again", "expired"])
def test_a_leave_that_is_not_obeyed_dismisses_nothing(how: str) -> None:
    """Redelivered from the meeting before, or come too late: nobody left this one by hand."""
    day = Day(item())
    day.until(70)
    expires = at(60) if how == "expired" else None
    leave = Command("l", "leave", Leave(), Origin.HUB, expires=expires)
    day.tell(CommandReceived(leave, known=how == "again"))
    assert "agenda-dismissed" not in day.events()
    assert day.until(80) == "meeting-a"


def test_a_dismissal_survives_a_restart() -> None:
    day = Day(item())
    day.until(70)
    day.command("leave")
    day.settle()
    memory = day.all(RememberAgenda)[-1].memory
    later = Playbook(PROFILE)
    later.seconds = 75 * MINUTE
    later.tell(Restored(None, [], cold=True, agenda=memory))
    later.wait(5 * MINUTE)
    assert later.all(StartMedia) == []


@pytest.mark.parametrize("is_set", [True, False])
def test_a_dismissal_survives_a_clock_that_jumps_by_years(is_set: bool) -> None:
    day = Day(item())
    day.until(70)
    day.command("leave")
    day.settle()
    day.synchronised = is_set
    for jump in (timedelta(days=27_000), -timedelta(days=27_000)):
        day.clock_jumps(jump)
        day.wait(MINUTE)
    day.synchronised = True
    assert day.until(85) is None


def test_what_was_left_by_hand_is_forgotten_when_no_document_names_it_any_more() -> None:
    day = Day(item())
    day.until(70)
    day.command("leave")
    day.settle()
    day.publish(item("b", 60 * 48, 60 * 49))
    day.until(60 * 26)
    assert day.room.agenda._memory.dismissed == {}
    assert day.room.agenda._attempts == {}


def test_power_back_in_the_middle_of_a_meeting() -> None:
    memory = AgendaMemory({GROUP: Agenda(1, 1, START, at(9999), [item()])})
    later = Playbook(PROFILE)
    later.seconds = 75 * MINUTE
    later.tell(Restored(None, [], cold=True, agenda=memory))
    assert later.phase is Phase.JOINING


def test_a_meeting_of_a_human_is_left_only_for_what_is_more_important() -> None:
    day = Day(item())
    day.join("storm")
    day.settle()
    assert day.until(70) == "storm"
    assert day.events().count("agenda-elsewhere") == 1
    day.publish(item(priority=3))
    day.settle()
    assert day.until(71) == "meeting-a"


def test_when_the_human_s_meeting_is_over_the_running_item_is_joined() -> None:
    day = Day(item())
    day.join("storm", until=at(70).isoformat())
    day.settle()
    assert day.until(69) == "storm"
    assert day.until(73) == "meeting-a"


def test_back_to_back_meetings() -> None:
    day = Day(item("a", 60, 90), item("b", 90, 120))
    assert day.until(89.9) == "meeting-a"
    assert day.until(90.5) == "meeting-b"
    assert day.until(122) is None


def test_back_to_back_meetings_with_one_address() -> None:
    same = Attendance(Meeting("giao-ban"))
    day = Day(item("a", 60, 90, join=same), item("b", 90, 120, join=same))
    assert day.until(100) == "giao-ban"
    assert day.until(119) == "giao-ban"
    assert day.until(122) is None
    assert len(day.all(StartMedia)) == 1, "it stays in it"


def test_of_two_at_once_the_first_goes_on_to_its_end() -> None:
    day = Day(item("a", 60, 90), item("b", 75, 120))
    assert day.until(89) == "meeting-a"
    assert day.until(91) == "meeting-b"


def test_of_two_at_once_the_more_important_one_wins() -> None:
    day = Day(item("a", 60, 90), item("b", 75, 80, priority=1))
    assert day.until(72) == "meeting-a"
    assert day.until(74) == "meeting-b"
    assert day.until(82) == "meeting-a", "and afterwards the other goes on"


def test_one_that_was_extended_by_hand_goes_on() -> None:
    day = Day(item())
    day.until(80)
    day.join("meeting-a", until=at(110).isoformat())
    assert day.until(105) == "meeting-a"
    assert day.until(112) is None


def test_one_that_is_cancelled_while_it_runs_is_left() -> None:
    day = Day(item())
    day.until(70)
    day.publish(item(cancelled=True))
    day.settle()
    assert day.until(71) is None
    assert "agenda-cancelled" in day.events()
    assert day.until(95) is None


def test_one_that_was_taken_out_is_left() -> None:
    day = Day(item())
    day.until(70)
    day.publish()
    day.settle()
    assert day.until(75) is None


def test_a_meeting_that_a_human_joined_is_not_ended_by_a_cancellation() -> None:
    day = Day(item())
    day.join("meeting-a")
    day.settle()
    day.until(70)
    day.publish(item(cancelled=True))
    assert day.until(75) == "meeting-a"


def test_an_end_that_is_moved_while_it_runs_counts() -> None:
    day = Day(item())
    day.until(70)
    day.publish(item(ends=120))
    assert day.until(110) == "meeting-a"
    assert day.until(122) is None


def test_one_that_is_moved_to_later_while_it_runs_is_left_and_joined_again() -> None:
    day = Day(item())
    day.until(70)
    day.publish(item(starts=100, ends=120))
    day.settle()
    assert day.until(80) is None
    assert day.until(99) == "meeting-a"


def test_a_clock_that_is_not_set_joins_nothing() -> None:
    day = Day()
    day.synchronised = False
    day.publish(item())
    assert day.until(70) is None
    day.synchronised = True
    assert day.until(71) == "meeting-a"


def test_a_clock_that_jumps_over_a_meeting_leaves_it_out() -> None:
    day = Day(item(), item("b", 24 * 60, 24 * 60 + 30))
    day.until(10)
    day.clock_jumps(timedelta(hours=23, minutes=50))
    assert day.until(11) == "meeting-b"
    assert day.events().count("agenda-joining") == 1


def test_a_clock_that_is_set_back_during_a_meeting_does_not_end_it_nor_call_it_moved() -> None:
    day = Day(item())
    day.until(70)
    day.clock_jumps(-timedelta(days=365))
    assert day.until(80) == "meeting-a"
    assert "agenda-cancelled" not in day.events()
    assert day.until(95) is None, "it ends when it should have"


def test_a_machine_that_slept_for_a_day_is_where_it_should_be() -> None:
    day = Day(item(), item("b", 25 * 60, 26 * 60))
    day.clock_jumps(timedelta(hours=25, minutes=10))
    assert day.until(1) == "meeting-b"


def test_over_midnight() -> None:
    """START is 07:15 UTC; this one goes from 23:50 to 00:20."""
    begin = (23 * 60 + 50) - (7 * 60 + 15)
    day = Day(item(starts=begin, ends=begin + 30))
    assert day.until(begin + 20) == "meeting-a"
    assert day.until(begin + 32) is None


def test_what_is_past_its_validity_does_not_count() -> None:
    day = Day()
    day.publish(item(), valid_until=at(30))
    assert day.until(70) is None


def test_a_join_that_fails_is_tried_again_until_the_end() -> None:
    day = Day(item())
    day.wait(58.5 * MINUTE)
    while day.seconds < 70 * MINUTE:  # every media process dies
        if day.phase in (Phase.JOINING, Phase.LEAVING):
            day.exit()
        day.wait(1)
    tries = day.events().count("agenda-joining")
    assert 8 <= tries <= 16, "after 5, 10, 20, 40 s and then each minute"
    assert day.until(73) == "meeting-a", "and in the end it is in"


def test_its_pauses_begin_when_a_join_has_failed_and_are_those_of_any_join() -> None:
    day = Day(item())
    day.wait(58 * MINUTE)
    pauses = []
    for _ in range(6):
        while day.phase is not Phase.JOINING:
            day.wait(0.25)
        day.report(UplinkReported("unreachable", "no answer"))
        while day.phase is not Phase.LEAVING:  # no sooner than its 30 s are over
            day.wait(0.25)
        day.exit("")
        failed = day.seconds
        while day.phase is Phase.STANDBY:
            day.wait(0.25)
        pauses.append(day.seconds - failed)
    shortest = [5, 10, 20, 40, 60, 60]
    assert all(low <= one <= low * 1.25 + 1 for low, one in zip(shortest, pauses, strict=True))


def test_the_room_s_own_topic_counts_more_than_its_groups() -> None:
    day = Day(item())
    day.publish(item(cancelled=True), address=ROOM)
    assert day.until(70) is None


@pytest.mark.parametrize("version", [1, 5])
def test_an_older_document_is_refused(version: int) -> None:
    day = Day()
    day.publish(item(), version=5)
    day.publish(version=version)
    assert day.events()[-1] == "agenda-refused"
    assert day.until(70) == "meeting-a"


@pytest.mark.parametrize(("minutes", "counts"), [(5, True), (11, False), (5 * 24 * 60, False)])
def test_one_that_was_issued_in_the_future_is_refused(minutes: float, counts: bool) -> None:
    """It would keep the right ones from counting until then, since its version is higher."""
    day = Day()
    day.publish(item(), issued=at(minutes))
    assert (day.events()[-1] == "agenda-refused") is not counts
    assert day.until(70) == ("meeting-a" if counts else None)


def test_a_clock_that_is_not_set_judges_no_document() -> None:
    day = Day()
    day.synchronised = False
    day.clock_jumps(-timedelta(days=20_000))
    day.publish(item())
    assert "agenda-refused" not in day.events()


def test_what_is_far_away_costs_nothing_with_each_event(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six hundred items took 24 ms of each event, a press of the button among them."""
    looked: list[AgendaItem] = []
    may_be_joined = AgendaControl._may_be_joined

    def counted(self: AgendaControl, one: AgendaItem, *rest: Any) -> bool:
        looked.append(one)
        return may_be_joined(self, one, *rest)

    monkeypatch.setattr(AgendaControl, "_may_be_joined", counted)
    day = Day()
    for address in (GROUP, "group/all", ROOM):
        many = [item(f"{address[-1]}{n}", 200 + n, 260 + n) for n in range(200)]
        day.publish(*many, address=address)
    day.publish(item("soon", 4, 30), address="group/x")
    for _ in range(20):
        day.tell(DevicesProbed({}))
    assert {one.id for one in looked} == {"soon"}
    assert day.room.agenda._timetable.to_come(day.now.wall) == day.room.agenda.items(day.now)
    assert len(day.room.agenda.items(day.now)) == 601


def test_the_same_document_again_is_no_news() -> None:
    day = Day(item())
    said = len(day.events())
    document = day.all(RememberAgenda)[-1].memory.documents[GROUP]
    day.receive(GROUP, document)
    assert len(day.events()) == said


def test_an_empty_message_clears_it() -> None:
    day = Day(item())
    day.receive(GROUP, None)
    assert day.until(70) is None
    assert day.events()[-1] == "agenda-changed"


def test_what_is_no_document_changes_nothing() -> None:
    day = Day(item())
    day.tell(AgendaReceived(GROUP, None, (Code.BAD_SIGNATURE, "the signature does not hold")))
    assert day.events()[-1] == "agenda-refused"
    assert day.until(70) == "meeting-a"


def test_a_week_of_mornings_with_the_hub_away() -> None:
    mornings = [item(f"d{day}", day * 1440 + 60, day * 1440 + 90) for day in range(7)]
    week = Day(*mornings)
    for day in range(7):
        assert week.until(day * 1440 + 57) is None
        assert week.until(day * 1440 + 70) == f"meeting-d{day}"
        assert week.until(day * 1440 + 95) is None
    assert week.events().count("agenda-joining") == 7
    assert week.now.wall > START.replace(tzinfo=UTC)


def checks(day: Day) -> list[str]:
    return [effect.check.sound for effect in day.all(StartCheck)]


def test_the_room_is_checked_an_hour_and_ten_minutes_before_and_silent_at_first() -> None:
    day = Day(item(starts=90, ends=120))
    day.until(29.9)
    assert checks(day) == []
    day.until(31.1)
    assert checks(day) == ["off"]
    end_check(day)
    day.until(79)
    assert checks(day) == ["off"]
    day.until(81.1)
    assert checks(day) == ["off", "on"]


def end_check(day: Day, *findings: CheckFinding) -> None:
    number = day.all(StartCheck)[-1].number
    day.tell(CheckEnded(number, list(findings), complete=True))


def test_the_verdict_is_told_and_what_is_wrong_is_on_the_screen() -> None:
    day = Day(item(starts=90, ends=120))
    day.until(31.1)
    black = CheckFinding("camera", "camera-black", "failed", "the camera's picture is black")
    end_check(day, black)
    told = [one.event for one in day.all(PublishEvent) if one.event.type == "readiness"]
    assert [one.code for one in told] == ["no-go"]
    day.until(82)
    assert checks(day) == ["off", "on"]
    end_check(day, black)
    day.until(86)
    announced = day.room.taking_part.announcements.shown
    assert isinstance(announced, MeetingSoon)
    assert (announced.title, announced.minutes_left) == ("Title a", 4)
    assert announced.verdict == RoomVerdict(fault=black.seen, fault_code=black.code)


def test_a_fault_that_is_mended_is_looked_at_again() -> None:
    day = Day(item(starts=90, ends=120))
    gone = {"camera": DeviceStatus(Status.ABSENT, "absent", "Camera: unplugged")}
    day.tell(DevicesProbed(gone))
    day.until(31.1)
    end_check(day, CheckFinding("camera", "absent", "failed", "no camera"))
    day.until(40)
    assert checks(day) == ["off"]
    day.tell(DevicesProbed({"camera": DeviceStatus(Status.OK, "ok", "Camera")}))
    day.until(41)
    assert checks(day) == ["off", "off"]


def test_one_that_rings_calls_first() -> None:
    day = Day(item(ring=True))
    day.wait(58.2 * MINUTE)
    assert day.room.taking_part.call.ringing
    day.wait(15)
    assert day.room.taking_part.call.ringing, "it rings its time out"
    assert day.phase is Phase.STANDBY
    day.until(61)
    assert day.meeting == "meeting-a"
