"""The picture between meetings: there when the display is on, gone before a meeting begins."""

from __future__ import annotations

from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.deadlines import MediaStartDue
from agent.core.model.documents import Phase
from agent.core.model.events import DevicesProbed, DisplaySwitched, HostSampled, Restored
from agent.core.model.media import StandbyPlan, UplinkReported
from tests.core.playbook import HOST, PROFILE, Playbook, kinds

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


def test_health_is_asked_for_while_a_meetings_child_waits_for_the_screen() -> None:
    play = start(display_on=True)
    play.join()
    play.command("report")
    play.tell(DevicesProbed({}))
    play.tell(HostSampled(HOST))
    media = play.all(do.PublishHealth)[-1].health.media
    assert [link.state for link in media.downlinks] == ["connecting"]


def test_a_meetings_child_waits_until_the_screen_is_free() -> None:
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


def test_without_a_screen_there_is_no_child_in_standby() -> None:
    play = Playbook(PROFILE)
    play.tell(Restored(None, [], cold=False, display_on=True))
    assert not play.all(do.StartMedia)
