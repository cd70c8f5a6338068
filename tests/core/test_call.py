"""An urgent call: it rings, somebody comes or nobody does, and then the room joins or not."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.commands import AckState, Code
from agent.core.model.documents import Phase
from agent.core.model.events import LineChanged
from agent.core.model.media import MeetingPlan, SetAnnouncement, StandbyPlan
from tests.core.playbook import PROFILE, Playbook

SCREEN = structs.replace(PROFILE, has_screen=True)


def call(room: Playbook, meeting: str = "bao", id: str = "call", **fields: Any) -> None:
    room.command("call", id=id, meeting={"id": meeting, "title": "Bão số 5"}, **fields)


def press(play: Playbook) -> None:
    play.tell(LineChanged("mute-button", True))
    play.tell(LineChanged("mute-button", False))


def arrive(play: Playbook) -> None:
    """The ring's process makes way, then the meeting comes about."""
    if not isinstance(play.all(do.StartMedia)[-1].plan, MeetingPlan):
        play.exit("exited")
    play.light()
    play.flow()
    assert play.phase is Phase.IN_MEETING


def test_in_standby_it_rings_at_once_and_opens_no_microphone() -> None:
    play = Playbook(SCREEN)
    call(play, text="Họp ngay", caller="Huyện", volume=90)
    plan = play.all(do.StartMedia)[-1].plan
    assert isinstance(plan, StandbyPlan)
    assert plan.announcement is not None
    assert (plan.announcement.chime, plan.announcement.volume) == (True, 90)
    assert play.all(do.SwitchDisplay)[-1].on
    assert play.all(do.SetLamp)[-1].mode == "called"
    assert play.state.microphone == "off"
    assert play.states("call") == [AckState.ACCEPTED, AckState.RUNNING]


def test_a_press_is_a_persons_answer_and_the_room_joins() -> None:
    play = Playbook(SCREEN)
    call(play, microphone="live")
    play.wait(7)
    press(play)
    assert play.events()[-1] == "call-answered"
    arrive(play)
    ack = play.acks("call")[-1]
    assert (ack.state, ack.type, ack.detail.answered) == (AckState.SUCCEEDED, "call", True)
    assert ack.detail.answered_at is not None
    plan = play.all(do.StartMedia)[-1].plan
    assert plan.microphone_live
    assert plan.announcement is None


def test_a_double_press_is_one_answer_and_lets_nobody_be_heard() -> None:
    """Neither one who had muted the room before nor one who never did; a long press is meant."""
    play = Playbook(SCREEN)
    call(play)
    for _ in range(3):
        play.tell(LineChanged("mute-button", True))
        play.wait(0.1)
        play.tell(LineChanged("mute-button", False))
        play.wait(0.2)
    assert "call-answered" in play.events()
    assert "mute-pressed" not in play.events()
    assert not play.room.microphone.live
    play.tell(LineChanged("mute-button", True))
    play.wait(1.1)
    assert play.events()[-1] == "mute-pressed"


def test_unanswered_it_joins_muted_and_says_that_nobody_came() -> None:
    play = Playbook(SCREEN)
    call(play, microphone="live", ring_seconds=20)
    play.wait(21)
    arrive(play)
    assert "call-unanswered" in play.events()
    ack = play.acks("call")[-1]
    assert (ack.state, ack.detail.answered) == (AckState.SUCCEEDED, False)
    assert not play.all(do.StartMedia)[-1].plan.microphone_live


def test_unanswered_then_nothing_leaves_the_room_as_it_was() -> None:
    play = Playbook(SCREEN)
    call(play, then="nothing")
    play.wait(31)
    assert play.acks("call")[-1].code is Code.UNANSWERED
    assert play.all(do.SetLamp)[-1].mode == "off"
    play.exit("")
    play.wait(61)
    assert not play.all(do.SwitchDisplay)[-1].on
    assert play.phase is Phase.STANDBY


def test_in_another_meeting_it_offers_and_does_not_tear_away() -> None:
    play = Playbook(SCREEN)
    play.enter(microphone="live")
    call(play)
    shown = play.all(do.InstructMedia)[-1].instruction
    assert isinstance(shown, SetAnnouncement)
    play.wait(31)
    assert play.phase is Phase.IN_MEETING
    ack = play.acks("call")[-1]
    assert (ack.state, ack.code) == (AckState.FAILED, Code.UNANSWERED)
    call(play, id="again")
    press(play)
    assert play.phase is Phase.LEAVING
    play.exit("")
    play.flow()
    assert play.state.meeting.id == "bao"
    assert play.acks("again")[-1].state is AckState.SUCCEEDED


def test_with_replace_it_tears_away_when_nobody_answers() -> None:
    play = Playbook(SCREEN)
    play.enter()
    call(play, replace=True)
    play.wait(31)
    assert play.phase is Phase.LEAVING


def test_in_its_own_meeting_a_press_is_only_an_answer() -> None:
    play = Playbook(SCREEN)
    play.enter(meeting="bao", microphone="live")
    call(play)
    press(play)
    assert play.acks("call")[-1].code is Code.ALREADY
    assert play.acks("call")[-1].detail.answered is True
    assert play.state.microphone == "live"


def test_while_joining_it_is_answered_with_the_join() -> None:
    play = Playbook(SCREEN)
    play.join("bao")
    call(play)
    press(play)
    assert AckState.SUCCEEDED not in play.states("call")
    arrive(play)
    assert play.acks("call")[-1].state is AckState.SUCCEEDED


def test_a_leave_ends_it_and_so_does_a_second_call() -> None:
    play = Playbook(SCREEN)
    call(play)
    call(play, id="second")
    assert play.acks("call")[-1].code is Code.WITHDRAWN
    play.command("leave", id="l")
    assert play.acks("second")[-1].code is Code.WITHDRAWN
    assert play.acks("l")[-1].code is Code.OK
    press(play)
    assert play.phase is Phase.STANDBY


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"meeting": "khac"}, Code.BUSY),
        ({"until": "2026-11-22T07:00:00Z"}, Code.BAD_FIELD),
        ({"publish": None, "play": []}, Code.NO_MEDIA_URL),
    ],
)
def test_what_cannot_be_is_refused_and_the_first_call_rings_on(
    fields: dict[str, Any], code: Code
) -> None:
    play = Playbook(SCREEN)
    call(play)
    call(play, id="second", **fields)
    assert (play.acks("second")[-1].state, play.acks("second")[-1].code) == (
        AckState.REJECTED,
        code,
    )
    assert play.room.taking_part.call.ringing
    assert play.states("call")[-1] is AckState.RUNNING


def test_a_room_with_nothing_to_call_people_with_says_so() -> None:
    play = Playbook(structs.replace(PROFILE, has_screen=False, fitted=frozenset({"camera"})))
    call(play)
    assert play.acks("call")[-1].code is Code.DEVICE_ABSENT


def test_a_room_without_a_screen_rings_with_its_loudspeaker() -> None:
    play = Playbook(structs.replace(PROFILE, has_screen=False))
    call(play)
    assert play.all(do.StartMedia)[-1].plan.announcement.chime
