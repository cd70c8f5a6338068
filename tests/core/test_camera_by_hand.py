"""The camera switched off by the people in the room, by a button of its own or a long press of the one."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.documents import DeviceStatus, Status
from agent.core.model.events import LineChanged, MeetingRecord, Restored
from agent.core.model.media import DeviceReported, SetCamera, SetMicrophone
from tests.core.playbook import PROFILE, Playbook

CLOSED = DeviceReported("camera", False, DeviceStatus(Status.OK, "ok", ""))


def switch(play: Playbook) -> None:
    play.tell(LineChanged("camera-button", True))
    play.tell(LineChanged("camera-button", False))


def told(play: Playbook, kind: type) -> list[Any]:
    instructions = [effect.instruction for effect in play.all(do.InstructMedia)]
    return [one for one in instructions if isinstance(one, kind)]


def confirm(play: Playbook) -> None:
    for instruction in (*told(play, SetCamera), *told(play, SetMicrophone)):
        play.applied(instruction.request)


def in_meeting(**fields: Any) -> Playbook:
    play = Playbook(structs.replace(PROFILE, camera_by_long_press=True))
    play.enter(**fields)
    return play


def switched_off(**fields: Any) -> Playbook:
    play = in_meeting(**fields)
    switch(play)
    confirm(play)
    play.report(CLOSED)
    return play


def test_a_press_closes_it_and_another_gives_it_back_to_the_meeting() -> None:
    play = switched_off()
    off = told(play, SetCamera)[-1]
    assert (off.live, off.by_hand) == (False, True)
    assert (play.state.camera, play.state.camera_off_by_hand) == ("off", True)
    switch(play)
    on = told(play, SetCamera)[-1]
    assert (on.live, on.by_hand) == (True, False)
    play.opened("camera")
    assert (play.state.camera, play.state.camera_off_by_hand) == ("live", False)
    assert play.events().count("camera-pressed") == 2


def test_no_command_switches_it_on_again() -> None:
    play = switched_off()
    play.join(camera="off", id="off")
    confirm(play)
    play.join(camera="live", id="on")
    confirm(play)
    assert not [one for one in told(play, SetCamera) if one.live]
    assert "by hand" in (play.acks("on")[-1].detail.missing or {})["camera"]
    play.join("khac", replace=True, id="other")
    play.exit("")
    plan = play.all(do.StartMedia)[-1].plan
    assert (plan.camera_live, plan.camera_off_by_hand) == (False, True)
    play.exit("killed by SIGSEGV")
    play.wait(60)
    plan = play.all(do.StartMedia)[-1].plan
    assert (plan.camera_live, plan.camera_off_by_hand) == (False, True)


def test_the_meeting_may_not_want_it_anyway() -> None:
    play = in_meeting(camera="off")
    switch(play)
    switch(play)
    assert not [one for one in told(play, SetCamera) if one.live]


def test_who_does_not_close_it_in_time_is_ended() -> None:
    play = in_meeting()
    switch(play)
    assert play.state.camera == "live", "as long as it is open"
    play.wait(10)
    assert play.all(do.StopMedia)


def test_five_minutes_of_standby_give_it_back() -> None:
    play = switched_off()
    play.command("leave")
    play.exit("")
    play.wait(290)
    assert play.state.camera_off_by_hand
    play.wait(20)
    assert not play.state.camera_off_by_hand
    assert not play.all(do.RememberCameraOffByHand)[-1].off


def test_a_restart_does_not_give_it_back() -> None:
    before = switched_off()
    record = next(e.record for e in reversed(before.all(do.RememberMeeting)) if e.record)
    assert isinstance(record, MeetingRecord)
    play = Playbook()
    play.tell(Restored(record, [], cold=False, camera_off_by_hand=True))
    assert not play.all(do.StartMedia)[-1].plan.camera_live


def test_the_audit_says_that_it_was_the_hand() -> None:
    play = switched_off()
    edges = [e.event for e in play.all(do.PublishEvent) if e.event.type == "device-closed"]
    assert "by hand" in edges[-1].text
    assert edges[-1].detail.command is None
    switch(play)
    play.opened("camera")
    edges = [e.event for e in play.all(do.PublishEvent) if e.event.type == "device-opened"]
    assert "by hand" in edges[-1].text


@pytest.mark.parametrize("microphone", ["live", "muted"])
def test_a_long_press_means_the_camera_and_takes_back_what_its_beginning_did(
    microphone: str,
) -> None:
    play = in_meeting()
    if microphone == "live":
        play.command("unmute", id="u")
    confirm(play)
    before = play.state.microphone
    play.tell(LineChanged("mute-button", True))
    confirm(play)
    play.wait(3.5)
    play.tell(LineChanged("mute-button", False))
    confirm(play)
    assert play.state.camera_off_by_hand
    assert play.state.microphone == before == microphone
    assert not play.room.microphone.muted_by_hand


def test_a_mute_by_command_meanwhile_is_not_taken_back() -> None:
    play = in_meeting()
    play.command("unmute", id="u")
    confirm(play)
    play.tell(LineChanged("mute-button", True))
    play.command("mute", id="m")
    confirm(play)
    play.wait(3.5)
    confirm(play)
    assert play.state.microphone == "muted"


def test_a_long_press_lowers_the_hand_that_its_beginning_raised() -> None:
    play = in_meeting(floor="request")
    play.tell(LineChanged("mute-button", True))
    assert play.state.floor.hand_since
    play.wait(3.5)
    assert play.state.camera_off_by_hand
    assert play.state.floor.hand_since is None


def test_without_the_setting_a_long_press_is_no_matter_of_the_camera() -> None:
    play = Playbook()
    play.enter()
    play.tell(LineChanged("mute-button", True))
    play.wait(5)
    assert not play.state.camera_off_by_hand


def test_outside_of_a_meeting_a_press_switches_nothing() -> None:
    play = Playbook()
    switch(play)
    assert not play.state.camera_off_by_hand
    assert play.events()[-1] == "camera-pressed"
