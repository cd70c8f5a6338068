"""The display's power: what switches it, and what a restart may not take back."""

from __future__ import annotations

from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.deadlines import DisplayUnused
from agent.core.model.documents import Phase
from agent.core.model.events import DisplaySwitched, Restored
from tests.core.playbook import PROFILE, Playbook


def start(*, display_on: bool, kept_on: bool) -> Playbook:
    play = Playbook(PROFILE)
    play.tell(Restored(None, [], cold=False, display_on=display_on, display_kept_on=kept_on))
    return play


def test_a_restart_leaves_a_display_on_that_the_hub_ordered_on() -> None:
    before = start(display_on=False, kept_on=False)
    before.command("display", power="on")
    assert before.all(do.RememberDisplayKeptOn) == [do.RememberDisplayKeptOn(True)]
    assert DisplayUnused() not in start(display_on=True, kept_on=True).deadlines


def test_a_display_that_nobody_ordered_on_goes_off_after_the_hold_time() -> None:
    play = start(display_on=True, kept_on=False)
    play.wait(play.deadlines[DisplayUnused()])
    assert do.SwitchDisplay(False) in play.effects


def test_a_display_without_a_relay_is_on_whatever_was_restored() -> None:
    play = Playbook(structs.replace(PROFILE, has_relay=False))
    play.tell(Restored(None, [], cold=False, display_on=False))
    play.join()
    play.flow()
    assert play.phase is Phase.IN_MEETING
    assert play.state.display == "on"
    play.command("leave")
    play.exit("")
    play.wait(120)
    assert play.all(do.SwitchDisplay) == []


def test_a_power_cut_ends_the_order() -> None:
    play = start(display_on=False, kept_on=True)
    assert play.all(do.RememberDisplayKeptOn) == [do.RememberDisplayKeptOn(False)]
    assert not play.all(do.SwitchDisplay)


def test_the_order_ends_with_an_off_and_with_a_meeting() -> None:
    play = start(display_on=True, kept_on=True)
    play.command("display", power="off")
    assert play.all(do.RememberDisplayKeptOn)[-1] == do.RememberDisplayKeptOn(False)
    play.tell(DisplaySwitched(False))
    play.command("display", power="on")
    play.tell(DisplaySwitched(True))
    play.join()
    play.flow()
    play.command("leave")
    play.exit("exited")
    assert play.all(do.RememberDisplayKeptOn)[-1] == do.RememberDisplayKeptOn(False)
    assert DisplayUnused() in play.deadlines
