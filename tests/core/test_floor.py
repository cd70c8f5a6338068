"""The floor: asked for and given back by the button, given and taken by the hub."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.model import effects as do
from agent.core.model.commands import AckState, Code
from agent.core.model.events import FloorRecord, LineChanged, LinkChanged, MeetingRecord, Restored
from agent.core.model.media import SetFloor, SetMicrophone
from tests.core.playbook import Playbook


def press(play: Playbook, seconds: float = 0.2) -> None:
    play.tell(LineChanged("mute-button", True))
    play.wait(seconds)
    play.tell(LineChanged("mute-button", False))


def told(play: Playbook, kind: type) -> list[Any]:
    instructions = [e.instruction for e in play.all(do.InstructMedia)]
    return [one for one in instructions if isinstance(one, kind)]


def confirm(play: Playbook) -> None:
    for instruction in told(play, SetMicrophone):
        play.applied(instruction.request)


def asking() -> Playbook:
    play = Playbook()
    play.enter(floor="request", microphone="live")
    return play


def with_floor() -> Playbook:
    play = asking()
    play.command("floor", id="give", state="given")
    confirm(play)
    assert play.acks("give")[-1].state is AckState.SUCCEEDED
    return play


def test_without_the_floor_nobody_is_heard_whatever_is_ordered() -> None:
    play = asking()
    assert not play.all(do.StartMedia)[-1].plan.microphone_live
    play.command("unmute", id="u")
    assert play.acks("u")[-1].code is Code.NO_FLOOR
    press(play)
    assert not [one for one in told(play, SetMicrophone) if one.live]
    assert play.state.microphone == "muted"


def test_the_button_raises_the_hand_and_lowers_it() -> None:
    play = asking()
    press(play)
    assert play.state.floor.hand_since == play.state.at
    assert play.all(do.SetLamp)[-1].mode == "hand"
    press(play)
    assert play.state.floor.hand_since is None
    assert play.all(do.SetLamp)[-1].mode == "muted"
    assert play.events()[-2:] == ["hand-raised", "hand-lowered"]


def test_the_floor_makes_the_room_live_and_the_lamp_says_so_first() -> None:
    play = asking()
    press(play)
    effects = play.command("floor", state="given")
    order = [type(e) for e in effects if isinstance(e, do.SetLamp | do.InstructMedia)]
    assert order[:2] == [do.SetLamp, do.InstructMedia]
    assert play.all(do.SetLamp)[-1].mode == "on"
    floor = play.state.floor
    assert (floor.held, floor.hand_since, floor.position) == (True, None, None)
    assert "floor-given" in play.events()


def test_with_the_floor_the_button_mutes_at_once_and_unmutes_when_it_is_up() -> None:
    play = with_floor()
    play.tell(LineChanged("mute-button", True))
    assert not told(play, SetMicrophone)[-1].live
    play.tell(LineChanged("mute-button", False))
    confirm(play)
    assert play.state.microphone == "muted"
    play.tell(LineChanged("mute-button", True))
    assert not told(play, SetMicrophone)[-1].live, "it may become a long press"
    play.tell(LineChanged("mute-button", False))
    assert told(play, SetMicrophone)[-1].live


def test_a_long_press_gives_the_floor_back_and_is_no_mute_by_hand() -> None:
    play = with_floor()
    press(play, 1.5)
    confirm(play)
    assert play.events()[-1] == "floor-returned"
    assert play.state.microphone == "muted"
    assert not play.state.floor.held
    assert not play.room.microphone.muted_by_hand
    play.command("floor", state="given")
    assert told(play, SetMicrophone)[-1].live


def test_a_long_press_while_muted_lets_nothing_out() -> None:
    play = with_floor()
    press(play)
    before = len(told(play, SetMicrophone))
    press(play, 2)
    assert not [one for one in told(play, SetMicrophone)[before:] if one.live]
    assert not play.state.floor.held


def test_muted_by_hand_stays_muted_when_the_floor_is_given() -> None:
    play = with_floor()
    press(play)
    confirm(play)
    play.command("floor", state="none")
    confirm(play)
    play.command("floor", id="again", state="given")
    assert play.acks("again")[-1].state is AckState.SUCCEEDED
    assert not told(play, SetMicrophone)[-1].live
    press(play)
    assert told(play, SetMicrophone)[-1].live


def test_the_hub_takes_the_floor_and_is_answered_when_that_is_true() -> None:
    play = with_floor()
    play.command("floor", id="take", state="none")
    assert AckState.SUCCEEDED not in play.states("take")
    play.applied("take")
    assert play.states("take")[-1] is AckState.SUCCEEDED
    assert "floor-taken" in play.events()
    play.command("floor", id="again", state="none")
    assert play.acks("again")[-1].code is Code.ALREADY


def test_the_queue_is_shown() -> None:
    play = asking()
    press(play)
    play.command("floor", state="queued", position=2)
    assert play.state.floor.position == 2
    assert told(play, SetFloor)[-1].floor.position == 2


@pytest.mark.parametrize(
    ("before", "fields", "text"),
    [
        (None, {"state": "queued", "position": 2}, "waits for the floor, place 2"),
        (None, {"state": "queued"}, "the room waits for the floor"),
        ("given", {"state": "none"}, "does not have the floor"),
        (None, {"state": "none"}, "the room does not have the floor (as before)"),
        (None, {"state": "given"}, "the room has the floor"),
        ("given", {"state": "given"}, "had the floor already"),
    ],
)
def test_the_answer_speaks_of_the_floor(
    before: str | None, fields: dict[str, Any], text: str
) -> None:
    play = asking()
    if before:
        play.command("floor", state=before)
    play.command("floor", id="f", **fields)
    confirm(play)
    assert play.states("f")[-1] is AckState.SUCCEEDED
    assert text in play.acks("f")[-1].text


def test_the_floor_taken_while_the_button_is_down_is_not_unmuted_by_its_release() -> None:
    play = with_floor()
    press(play)
    confirm(play)
    play.tell(LineChanged("mute-button", True))
    play.command("floor", state="none")
    play.tell(LineChanged("mute-button", False))
    assert not told(play, SetMicrophone)[-1].live


@pytest.mark.parametrize(
    ("joined", "fields", "code"),
    [
        ({}, {"state": "given"}, Code.FLOOR_OPEN),
        ({"floor": "request"}, {"state": "given", "meeting": "khac"}, Code.NOT_IN_MEETING),
        ({"floor": "request"}, {"state": "given", "position": 1}, Code.BAD_FIELD),
        (None, {"state": "given"}, Code.NOT_IN_MEETING),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    joined: dict[str, Any] | None, fields: dict[str, Any], code: Code
) -> None:
    play = Playbook()
    if joined is not None:
        play.enter(**joined)
    before = play.room.state(play.now)
    play.command("floor", id="f", **fields)
    assert (play.acks("f")[-1].state, play.acks("f")[-1].code) == (AckState.REJECTED, code)
    assert play.room.state(play.now) == before


def test_a_hand_survives_a_lost_link_and_a_restart() -> None:
    play = asking()
    press(play)
    since = play.state.floor.hand_since
    play.tell(LinkChanged(up=False))
    play.tell(LinkChanged(up=True, session="s2"))
    assert play.state.floor.hand_since == since
    kept: FloorRecord = play.all(do.RememberFloor)[-1].record
    record: MeetingRecord = play.all(do.RememberMeeting)[-1].record
    again = Playbook()
    again.tell(Restored(record, [], cold=True, floor=kept))
    assert again.state.floor.hand_since == since
    assert again.all(do.SetLamp)[-1].mode == "hand"


def test_a_floor_that_was_held_is_held_after_a_restart_but_muted() -> None:
    play = with_floor()
    kept = play.all(do.RememberFloor)[-1].record
    record = play.all(do.RememberMeeting)[-1].record
    again = Playbook()
    again.tell(Restored(record, [], cold=True, floor=kept))
    assert again.state.floor.held
    assert not again.all(do.StartMedia)[-1].plan.microphone_live


def test_the_next_meeting_begins_without_a_hand() -> None:
    play = asking()
    press(play)
    play.command("leave")
    play.exit("exited")
    assert play.all(do.RememberFloor)[-1].record is None
    assert play.state.floor is None
    play.enter(floor="request")
    assert play.state.floor.hand_since is None


def test_the_state_says_who_the_room_is() -> None:
    play = Playbook()
    play.tell(LinkChanged(up=True, session="s1"))
    assert (play.state.name, play.state.agent.version) == ("Xã A", "1.0")


@pytest.mark.parametrize("microphone", [None, "live"])
def test_a_meeting_that_becomes_one_by_request_is_that_once_the_mute_is_confirmed(
    microphone: str | None,
) -> None:
    play = Playbook()
    play.enter(microphone="live")
    named = {"microphone": microphone} if microphone else {}
    play.join(id="again", floor="request", **named)
    assert [one.live for one in told(play, SetMicrophone)] == [False] * (1 + len(named))
    assert play.states("again")[-1] != "succeeded"
    assert play.state.microphone == "live", "until it is confirmed"
    for one in told(play, SetMicrophone):
        play.applied(one.request)
    assert play.states("again")[-1] == "succeeded"
    assert play.state.microphone == "muted"
    assert play.state.floor.mode == "request"


def test_a_muted_room_is_not_heard_for_a_moment_by_a_join_that_asks_for_both() -> None:
    play = Playbook()
    play.enter(microphone="muted")
    play.join(id="again", floor="request", microphone="live")
    assert not any(one.live for one in told(play, SetMicrophone))


def test_a_meeting_that_is_opened_to_all_can_be_spoken_in_at_once() -> None:
    play = Playbook()
    play.enter(floor="request")
    play.join(id="again", floor="open", microphone="live")
    assert told(play, SetMicrophone)[-1].live
    play.applied("again/microphone")
    assert play.states("again")[-1] == "succeeded"
    assert play.state.microphone == "live"


@pytest.mark.parametrize(("position", "told_of"), [(None, True), (2, False)])
def test_a_hand_raised_by_command_is_told_of_unless_the_hub_queued_it(
    position: int | None, told_of: bool
) -> None:
    play = Playbook()
    play.enter(floor="request")
    place = {"position": position} if position else {}
    play.command("floor", state="queued", **place)
    assert ("hand-raised" in play.events()) is told_of
