"""The picture between meetings: there when the display is on, gone before a meeting begins."""

from __future__ import annotations

from datetime import timedelta

from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.agenda import Agenda, AgendaItem
from agent.core.model.announcement import Announcement, LookAhead, NextMeeting, RoomVerdict
from agent.core.model.commands import Attendance, Meeting
from agent.core.model.deadlines import MediaStartDue
from agent.core.model.documents import CheckFinding, Phase
from agent.core.model.events import (
    AgendaReceived,
    CheckEnded,
    DevicesProbed,
    DisplaySwitched,
    HostSampled,
    Restored,
)
from agent.core.model.media import SetAnnouncement, StandbyPlan, UplinkReported
from tests.core.playbook import HOST, PROFILE, START, Playbook, kinds

SCREEN = structs.replace(PROFILE, has_screen=True)


def start(*, display_on: bool) -> Playbook:
    play = Playbook(SCREEN)
    play.tell(Restored(None, [], cold=False, display_on=display_on))
    return play


def test_a_display_that_is_on_shows_the_rooms_name_and_opens_nothing() -> None:
    play = start(display_on=False)
    assert not play.all(do.StartMedia)
    play.command("display", power="on")
    play.tell(DisplaySwitched(True))
    plan = play.all(do.StartMedia)[0].plan
    assert plan == StandbyPlan("xa-a", "Xã A")
    assert play.state.phase is Phase.STANDBY


def test_it_goes_with_the_display() -> None:
    play = start(display_on=True)
    effects = play.tell(DisplaySwitched(False))
    assert do.StopMedia() in effects
    play.tell(HostSampled(HOST))
    assert len(play.all(do.StopMedia)) == 1, "told once"
    play.exit("exited")
    assert len(play.all(do.StartMedia)) == 1
    assert MediaStartDue() not in play.deadlines, "nothing failed that is to be tried again"


def test_health_is_asked_for_while_a_meetings_media_process_waits_for_the_screen() -> None:
    play = start(display_on=True)
    play.join()
    play.command("report")
    play.tell(DevicesProbed({}))
    play.tell(HostSampled(HOST))
    media = play.all(do.PublishHealth)[-1].health.media
    assert [link.state for link in media.downlinks] == ["connecting"]


def test_a_meetings_media_process_waits_until_the_screen_is_free() -> None:
    play = start(display_on=True)
    effects = play.join()
    assert do.StopMedia() in effects
    assert do.StartMedia not in kinds(effects)
    play.exit("exited")
    assert play.all(do.StartMedia)[-1].plan.meeting == "giao-ban"
    play.flow()
    assert play.phase is Phase.IN_MEETING
    play.command("leave")
    play.exit("exited")
    assert play.all(do.StartMedia)[-1].plan == StandbyPlan("xa-a", "Xã A"), (
        "and comes back after it"
    )


def test_leaving_before_the_screen_is_free_ends_in_standby() -> None:
    play = start(display_on=True)
    play.join()
    play.command("leave")
    play.exit("exited")
    assert play.phase is Phase.STANDBY
    assert play.all(do.StartMedia)[-1].plan == StandbyPlan("xa-a", "Xã A")
    assert play.states("c2")[-1] == "succeeded"


def test_a_screen_that_cannot_be_opened_is_tried_ever_more_slowly() -> None:
    play = start(display_on=True)
    waits = []
    for _ in range(5):
        before = play.seconds
        play.exit("exit code 3")
        waits.append(play.deadlines[MediaStartDue()] - before)
        play.wait(60)
    assert waits == sorted(waits)
    assert waits[-1] > 4
    assert len(play.all(do.StartMedia)) == 6


def test_a_meeting_that_came_while_nothing_was_shown_goes_on() -> None:
    play = Playbook(SCREEN)
    play.enter()
    play.report(UplinkReported("flowing"))
    assert play.all(do.StopMedia) == []


def test_without_a_screen_there_is_no_media_process_in_standby() -> None:
    play = Playbook(PROFILE)
    play.tell(Restored(None, [], cold=False, display_on=True))
    assert not play.all(do.StartMedia)


def plan_day(play: Playbook, *hours: float) -> None:
    """Meetings that begin so many hours from the start, of one hour each."""
    starts = [START + timedelta(hours=one) for one in hours]
    items = [
        AgendaItem(f"i{n}", f"Họp {n}", at, at + timedelta(hours=1), Attendance(Meeting(f"m{n}")))
        for n, at in enumerate(starts)
    ]
    document = Agenda(1, 10 - len(items), START, START + timedelta(days=14), items)
    play.tell(AgendaReceived("room/xa-a", document))


def said(play: Playbook) -> Announcement | None:
    """What the media process was told last."""
    told = [
        one.plan.announcement if isinstance(one, do.StartMedia) else one.instruction.announcement
        for one in play.effects
        if isinstance(one, do.StartMedia)
        or (isinstance(one, do.InstructMedia) and isinstance(one.instruction, SetAnnouncement))
    ]
    return told[-1] if told else None


def check(play: Playbook, *findings: CheckFinding) -> None:
    play.command("check", sound="off")
    number = play.all(do.StartCheck)[-1].number
    play.tell(CheckEnded(number, list(findings), complete=True))


def test_the_next_meeting_and_whether_the_room_is_ready_stand_beneath_its_name() -> None:
    play = start(display_on=True)
    plan_day(play, 20, 30)
    meeting = NextMeeting("Họp 0", START + timedelta(hours=20))
    dark, ready = RoomVerdict(False, "the picture is black", "camera-black"), RoomVerdict(True)
    assert said(play) == LookAhead(meeting), "not checked yet"
    check(play, CheckFinding("camera", "camera-black", "failed", "the picture is black"))
    assert said(play) == LookAhead(meeting, dark)
    check(play)
    assert said(play) == LookAhead(meeting, ready)
    plan_day(play)
    assert said(play) == LookAhead(verdict=ready), "also with no meeting to come"
    play.wait(4 * 3600 + 60)
    assert said(play) is None, "an old check is not believed"


def test_what_comes_next_switches_nothing_on_and_keeps_nothing_on() -> None:
    play = start(display_on=False)
    plan_day(play, 20)
    assert not play.all(do.StartMedia)
    assert not play.all(do.SwitchDisplay)
    play.command("display", power="on")
    play.tell(DisplaySwitched(True))
    assert isinstance(said(play), LookAhead)
    play.command("show", text="Mời họp", seconds=60)
    play.wait(61)
    assert isinstance(said(play), LookAhead), "back after a message"
    assert play.tell(DisplaySwitched(False)).count(do.StopMedia()) == 1


def test_a_meeting_days_away_or_by_a_clock_that_is_not_set_is_not_said() -> None:
    play = start(display_on=True)
    plan_day(play, 49)
    assert said(play) is None
    play.wait(3600 + 60)
    assert said(play) is not None
    play.synchronised = False
    play.tell(HostSampled(HOST))
    assert said(play) is None


def test_in_a_meeting_nothing_is_said_of_the_next() -> None:
    play = start(display_on=False)
    plan_day(play, 20)
    play.join()
    assert [one.plan.announcement for one in play.all(do.StartMedia)] == [None]
    assert said(play) is None
