"""Devices lent to the technician's tool: lamp on, in the audit, never while a meeting needs them."""

from __future__ import annotations

from agent.core.model.effects import Effect, PublishEvent, SetLamp
from agent.core.model.events import DevicesBorrowed, DevicesReturned, LineChanged, PictureAsked
from tests.core.playbook import Playbook

WHO = "uid 1000 pid 4711"
WANTED = DevicesBorrowed("loan-1", ("camera", "microphone", "speaker"), WHO)


def told(effects: list[Effect]) -> list[tuple[str, object, object]]:
    return [
        (e.event.type, e.event.detail.device, e.event.detail.asked_by)
        for e in effects
        if isinstance(e, PublishEvent)
    ]


def test_the_lamp_goes_on_first_and_off_with_the_last_loan() -> None:
    play = Playbook()
    effects = play.tell(WANTED)
    assert effects[0] == SetLamp("on")
    assert told(effects) == [("device-opened", "camera", WHO), ("device-opened", "microphone", WHO)]
    play.tell(DevicesBorrowed("loan-2", ("camera",), WHO))
    assert SetLamp("off") not in play.tell(DevicesReturned("loan-1"))
    effects = play.tell(DevicesReturned("loan-2"))
    assert SetLamp("off") in effects
    assert ("device-closed", "camera", WHO) in told(effects)
    assert play.tell(DevicesReturned("loan-2")) == []


def test_a_meeting_lends_nothing_and_keeps_its_lamp() -> None:
    play = Playbook()
    play.tell(WANTED)
    play.enter()
    assert SetLamp("off") not in play.tell(DevicesReturned("loan-1"))
    assert told(play.tell(DevicesBorrowed("loan-2", ("camera",), WHO))) == []
    assert not play.room.borrowing.lent("loan-2")
    assert told(play.tell(PictureAsked("sent", WHO))) == [("picture-taken", "camera", WHO)]


def test_what_was_switched_off_by_hand_is_lent_to_nobody() -> None:
    """Neither to the tool nor to the hub's check, which opens its devices as the tool does."""
    play = Playbook()
    play.enter(microphone="live")
    for button in ("mute-button", "camera-button"):
        play.tell(LineChanged(button, True))
        play.tell(LineChanged(button, False))
    play.command("leave")
    play.exit("")
    for devices in (("camera",), ("microphone", "speaker")):
        assert told(play.tell(DevicesBorrowed("loan-1", devices, WHO))) == []
        assert not play.room.borrowing.lent("loan-1")
    play.wait(301)
    assert told(play.tell(WANTED))[0] == ("device-opened", "camera", WHO)


def test_a_still_outside_of_a_meeting_is_nobodys() -> None:
    assert told(Playbook().tell(PictureAsked("sent", WHO))) == []
