"""The room's day beside people's words, broken clocks, power cuts and documents that change."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs

from agent.core.model.agenda import Agenda, AgendaMemory, AgendaRules
from agent.core.model.announcement import MeetingSoon, Retrying, RoomVerdict
from agent.core.model.commands import Attendance, Meeting
from agent.core.model.documents import CheckFinding, DeviceStatus, Phase, Status
from agent.core.model.effects import PublishEvent, RememberAgenda, RememberMeeting, StartCheck
from agent.core.model.events import CheckEnded, DevicesProbed, Restored
from agent.core.model.media import UplinkReported
from tests.core.playbook import Playbook
from tests.core.test_agenda import GROUP, MINUTE, PROFILE, ROOM, Day, at, checks, end_check, item


@pytest.mark.parametrize("how", ["cleared", "nothing planned"])
def test_a_meeting_that_runs_is_left_when_its_agenda_is_emptied(how: str) -> None:
    day = Day(item())
    day.until(70)
    if how == "cleared":
        day.receive(GROUP, None)
    else:
        day.publish()
    day.settle()
    assert day.until(71) is None
    assert day.until(95) is None


def test_the_next_meeting_leaves_the_screen_when_its_agenda_is_cleared() -> None:
    day = Day(item(), profile=structs.replace(PROFILE, agenda=AgendaRules(check_minutes_before=())))
    day.until(56)
    assert day.room.taking_part.announcements.shown is not None
    day.receive(GROUP, None)
    assert day.room.taking_part.announcements.shown is None


def test_a_document_whose_time_is_over_ends_no_meeting_that_runs() -> None:
    day = Day()
    day.publish(item(), item("b", 80, 120), valid_until=at(70))
    assert day.until(85) == "meeting-a"
    assert day.until(95) is None, "and begins none"
    assert "agenda-cancelled" not in day.events()


def test_a_room_that_is_in_other_groups_now_forgets_their_agendas() -> None:
    memory = Day(item()).all(RememberAgenda)[-1].memory
    later = Day(profile=structs.replace(PROFILE, groups=("other",)))
    later.tell(Restored(None, [], cold=False, agenda=memory))
    assert later.room.agenda.items(later.now) == []


def cut_and_back(day: Day, minutes: float, *, synchronised: bool) -> Day:
    """The power is away until so late; the journal has what the room told it to remember."""
    record = day.all(RememberMeeting)[-1].record
    later = Day(profile=PROFILE)
    later.version, later.seconds, later.synchronised = day.version, minutes * MINUTE, synchronised
    memory = day.all(RememberAgenda)[-1].memory
    later.tell(Restored(record, [], cold=True, agenda=memory))
    return later


@pytest.mark.parametrize("synchronised", [True, False], ids=["clock set", "clock not set yet"])
def test_what_was_cancelled_while_the_power_was_away_is_left(synchronised: bool) -> None:
    """Without a clock of its own the room is back in the meeting, gets the agenda, and only then knows the time."""
    day = Day(item())
    assert day.until(70) == "meeting-a"
    later = cut_and_back(day, 72, synchronised=synchronised)
    later.publish(item(cancelled=True))
    later.synchronised = True
    assert later.until(74) is None


def test_left_by_hand_then_a_power_cut() -> None:
    day = Day(item())
    day.until(70)
    day.command("leave")
    day.settle()
    assert cut_and_back(day, 72, synchronised=True).until(80) is None


def test_power_back_after_the_end() -> None:
    day = Day(item())
    day.until(70)
    later = cut_and_back(day, 90.5, synchronised=True)
    assert later.until(92) is None
    assert cut_and_back(day, 95, synchronised=True).until(97) is None


def test_one_that_was_left_and_then_moved_to_later_is_joined() -> None:
    day = Day(item())
    day.until(70)
    day.command("leave")
    day.settle()
    day.publish(item(ends=100))
    assert day.until(95) is None, "the same meeting, only longer"
    day.publish(item(starts=150, ends=180))
    assert day.until(155) == "meeting-a"


@pytest.mark.parametrize("seconds", [1, 60, 300])
def test_a_clock_that_is_set_back_a_little_ends_no_meeting(seconds: int) -> None:
    day = Day(item())
    day.until(58.2)
    day.clock_jumps(timedelta(seconds=-seconds))
    assert day.until(58.6) == "meeting-a"
    assert day.events().count("agenda-joining") == 1


@pytest.mark.parametrize(("priority", "wanted"), [(0, "storm"), (3, "storm")])
def test_who_takes_the_room_elsewhere_overrules_what_is_on(priority: int, wanted: str) -> None:
    day = Day(item(priority=priority))
    day.until(70)
    day.join("storm", replace=True)
    day.settle()
    assert day.until(75) == wanted
    assert day.events().count("agenda-elsewhere") == 1
    day.publish(item(priority=priority + 1))
    day.settle()
    assert day.until(76) == "meeting-a", "only what is more important than what was overruled"


def test_an_end_that_was_brought_forward_by_hand_is_the_end() -> None:
    day = Day(item())
    day.until(65)
    day.join("meeting-a", until=at(75).isoformat())
    assert day.until(74) == "meeting-a"
    assert day.until(80) is None
    assert "agenda-dismissed" in day.events()


def test_one_that_was_extended_into_the_next_one_of_the_same_meeting_lasts_as_long_as_that() -> (
    None
):
    same = Attendance(Meeting("giao-ban"))
    day = Day(item("a", 60, 90, join=same), item("b", 90, 150, join=same))
    day.until(80)
    day.join("giao-ban", until=at(110).isoformat())
    assert day.until(130) == "giao-ban"
    assert day.until(152) is None
    assert day.events().count("agenda-joining") == 1


def test_an_open_end_that_a_human_gave_stays() -> None:
    day = Day(item())
    day.join("meeting-a")
    day.settle()
    day.until(70)
    day.publish(item(ends=80))
    assert day.until(95) == "meeting-a"


def test_a_document_from_the_future_does_not_keep_later_ones_out() -> None:
    day = Day()
    day.publish(item("b"), version=2**40, issued=at(600), valid_until=at(9999))
    day.publish(item("b"), version=2**40, issued=at(600), valid_until=at(9999))
    assert day.events().count("agenda-refused") == 1, "retained: it comes with every connection"
    day.publish(item())
    assert day.until(70) == "meeting-a"


def test_a_room_s_own_cancellation_goes_with_its_document() -> None:
    day = Day(item())
    day.publish(item(cancelled=True), address=ROOM)
    day.receive(ROOM, None)
    assert day.until(70) == "meeting-a"


def test_a_check_that_is_not_possible_now_is_made_as_soon_as_it_is() -> None:
    day = Day(item(starts=90, ends=120))
    day.command("check")
    day.seconds = 31 * MINUTE
    day.tell(DevicesProbed({}))
    assert len(checks(day)) == 1, "somebody else's is under way"
    end_check(day)
    day.wait(60)
    assert checks(day)[1:] == ["off"]


def test_a_check_that_broke_down_is_told_and_made_again() -> None:
    day = Day(item(starts=90, ends=120))
    day.until(31.1)
    day.tell(CheckEnded(day.all(StartCheck)[-1].number, [], complete=False, error="it crashed"))
    told = [one.event for one in day.all(PublishEvent) if one.event.type == "readiness"]
    assert [one.code for one in told] == ["unknown"]
    day.until(34)
    assert checks(day) == ["off"]
    day.until(37)
    assert checks(day) == ["off", "off"]


def test_two_items_at_the_same_time_are_one_check() -> None:
    day = Day(item("a", 90, 120), item("b", 90, 120))
    day.until(31.1)
    end_check(day)
    day.until(36)
    assert checks(day) == ["off"]


def test_a_fault_that_comes_between_the_checks_is_told() -> None:
    day = Day(item(starts=90, ends=120))
    day.tell(DevicesProbed({"camera": DeviceStatus(Status.OK, "ok", "Camera")}))
    day.until(31.1)
    end_check(day)
    day.until(40)
    day.tell(DevicesProbed({"camera": DeviceStatus(Status.ABSENT, "absent", "unplugged")}))
    day.until(40.1)
    end_check(day, CheckFinding("camera", "absent", "failed", "no camera"))
    told = [one.event.code for one in day.all(PublishEvent) if one.event.type == "readiness"]
    assert told == ["go", "no-go"]


def test_a_check_gives_way_to_the_meeting() -> None:
    day = Day(item())
    day.until(57)
    day.command("check")
    assert day.until(59) == "meeting-a"


def test_a_jump_over_both_checks_makes_one() -> None:
    day = Day(item(starts=90, ends=120))
    day.until(1)
    day.clock_jumps(timedelta(minutes=84))
    day.until(1.6)
    assert checks(day) == ["on"]
    end_check(day)
    day.clock_jumps(timedelta(minutes=-84))
    day.until(5)
    assert checks(day) == ["on"]


def test_the_screen_says_that_the_room_is_ready() -> None:
    day = Day(item(starts=90, ends=120))
    day.until(81)
    end_check(day)
    day.until(86)
    shown = day.room.taking_part.announcements.shown
    assert isinstance(shown, MeetingSoon)
    assert shown.verdict == RoomVerdict(is_ready=True)


def test_the_screen_says_why_the_room_is_not_in() -> None:
    day = Day(item())
    day.until(57)
    refused = UplinkReported("refused", "403 Forbidden")
    while day.phase is not Phase.JOINING:
        day.wait(1)
    day.report(refused)
    while day.phase is not Phase.STANDBY:
        day.wait(1)
        if day.phase is Phase.LEAVING:
            day.exit("")
    shown = day.room.taking_part.announcements.shown
    assert shown == Retrying("Title a", "uplink-refused")
    assert day.until(60) == "meeting-a"
    assert day.room.taking_part.announcements.shown is None


def test_leap_day_and_the_turn_of_the_year() -> None:
    for days in (39, 463):  # 31.12.2026 and 28.02.2028, from 22.11.2026
        begin = days * 1440 + (23 * 60 + 50) - (7 * 60 + 15)
        day = Day()
        day.clock_jumps(timedelta(days=days))
        ends = begin + 24 * 60
        begun, over = at(days * 1440 - 10), at((days + 14) * 1440)
        day.receive(ROOM, Agenda(1, 7, begun, over, [item(starts=begin, ends=ends)]))
        assert day.until(begin - days * 1440 + 20) == "meeting-a"
        assert day.until(begin - days * 1440 + 24 * 60 + 2) is None


def test_an_old_journal_s_memory_still_dismisses() -> None:
    """It kept the item's end instead of the moment when it was left."""
    day = Day(item())
    memory = AgendaMemory(day.all(RememberAgenda)[-1].memory.documents, {"a": at(90)})
    later = Playbook(PROFILE)
    later.seconds = 70 * MINUTE
    later.tell(Restored(None, [], cold=True, agenda=memory))
    assert later.phase is Phase.STANDBY
