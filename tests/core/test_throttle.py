"""What flaps does not flood: neither the SD card, nor the hub's link, nor whoever reads it."""

from __future__ import annotations

from agent.core.model import effects as do
from agent.core.model.documents import EventDocument, Status
from agent.core.model.events import HostSampled, LineChanged, StopRequested
from agent.core.model.media import UplinkReported
from agent.core.throttle import PRESSES
from tests.core.playbook import HOST, Playbook


def told(play: Playbook, kinds: tuple[str, ...], device: str | None = None) -> list[EventDocument]:
    events = [effect.event for effect in play.all(do.PublishEvent)]
    return [e for e in events if e.type in kinds and e.detail.device == device]


def flap(play: Playbook, seconds: int) -> None:
    """A microphone on a loose cable: it opens and fails every four seconds."""
    for _ in range(seconds // 4):
        play.opened("microphone", Status.FAILED, "Microphone: check its cable")
        play.wait(3)
        play.opened("microphone")
        play.wait(1)


def test_a_loose_cable_is_told_a_few_times_and_then_once_a_minute() -> None:
    play = Playbook()
    play.enter()
    flap(play, 3600)
    faults = told(play, ("fault", "fault-cleared"), "microphone")
    assert 60 <= len(faults) <= 75
    assert sum(event.detail.count or 1 for event in faults) >= 1750
    assert len(told(play, ("device-opened", "device-closed"), "microphone")) <= 75


def test_the_last_word_is_how_it_is() -> None:
    play = Playbook()
    play.enter()
    flap(play, 120)
    play.opened("microphone", Status.FAILED, "Microphone: check its cable")
    play.wait(61)
    assert told(play, ("fault", "fault-cleared"), "microphone")[-1].type == "fault"
    assert told(play, ("device-opened", "device-closed"), "microphone")[-1].type == "device-closed"


def test_what_was_held_back_is_told_when_the_agent_stops() -> None:
    play = Playbook()
    play.enter()
    flap(play, 120)
    play.wait(61)
    play.opened("microphone", Status.FAILED, "Microphone: check its cable")
    kinds = ("fault", "fault-cleared", "device-opened", "device-closed")
    before = len(told(play, kinds, "microphone"))
    play.tell(StopRequested("SIGTERM"))
    play.exit("exited")
    held_back = told(play, kinds, "microphone")[before:]
    assert {event.type for event in held_back} >= {"device-closed"}
    assert do.EndDaemon() in play.effects


def test_the_count_is_of_the_events_that_one_stands_for() -> None:
    play = Playbook()
    for _ in range(PRESSES + 7):
        play.tell(LineChanged("mute-button", True))
    play.wait(61)
    presses = told(play, ("mute-pressed",))
    assert len(presses) == PRESSES + 1
    assert presses[-1].detail.count == 7


def test_a_quiet_hour_later_each_event_is_told_at_once_again() -> None:
    play = Playbook()
    play.enter()
    flap(play, 120)
    play.wait(3601)
    before = len(told(play, ("fault",), "microphone"))
    play.opened("microphone", Status.FAILED, "Microphone: check its cable")
    assert len(told(play, ("fault",), "microphone")) == before + 1


def test_each_meetings_openings_are_told() -> None:
    play = Playbook()
    for number in range(30):
        play.join(f"m{number}")
        play.opened("camera")
        play.command("leave")
        play.exit("exited")
        play.wait(1)
    assert len(told(play, ("device-opened", "device-closed"), "camera")) == 60


def test_a_link_that_comes_and_goes_all_day_is_told_once_a_minute() -> None:
    play = Playbook()
    play.enter()
    for _ in range(300):
        play.report(UplinkReported("stalled"))
        play.wait(6)
        play.report(UplinkReported("flowing"))
        play.wait(6)
    assert 60 <= len(told(play, ("reconnecting", "reconnected"))) <= 75


def test_health_follows_a_change_at_once_but_not_a_loose_cable_all_day() -> None:
    play = Playbook()
    play.enter()
    play.tell(HostSampled(HOST))
    before = len(play.all(do.PublishHealth))
    play.opened("microphone", Status.FAILED, "Microphone: check its cable")
    play.wait(1)
    assert len(play.all(do.PublishHealth)) == before + 1
    flap(play, 3600)
    assert len(play.all(do.PublishHealth)) - before < 500
    play.wait(31)
    assert play.all(do.PublishHealth)[-1].health.devices["microphone"].status is Status.OK


def test_somebody_who_tries_the_button_out_sees_each_press() -> None:
    play = Playbook()
    for _ in range(30):
        play.tell(LineChanged("mute-button", True))
    assert len(told(play, ("mute-pressed",))) == 30
