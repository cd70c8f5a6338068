"""A join that failed is tried again while its meeting's window lasts: the room needs no second call."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.announcement import Retrying
from agent.core.model.commands import AckState, Code
from agent.core.model.documents import Phase
from agent.core.model.events import Restored
from agent.core.model.media import UplinkReported
from tests.core.playbook import PROFILE, START, Playbook

UNREACHABLE = UplinkReported("unreachable", "no answer")
WITH_SCREEN = structs.replace(PROFILE, has_screen=True)


def failed(play: Playbook, **fields: object) -> Playbook:
    """A room whose join has just failed: the router is not up yet."""
    play.join(timeout_seconds=10, **fields)
    play.light()
    play.report(UNREACHABLE)
    until_phase_is_not(play, Phase.JOINING)
    play.exit("")
    assert play.phase is Phase.STANDBY
    return play


def until_phase_is_not(play: Playbook, phase: Phase) -> None:
    while play.phase is phase:
        play.wait(0.25)


def fail_again(play: Playbook) -> float:
    """Wait for the next try and let it fail too; returns the pause, seconds."""
    began = play.seconds
    until_phase_is_not(play, Phase.STANDBY)
    pause = play.seconds - began
    play.report(UNREACHABLE)
    until_phase_is_not(play, Phase.JOINING)
    play.exit("")
    return pause


def test_the_room_gets_in_by_itself_once_the_way_is_free() -> None:
    play = failed(Playbook())
    final = play.acks("c1")[-1]
    assert (final.state, final.code) == (AckState.FAILED, Code.MEDIA_UNREACHABLE)
    assert 5 <= final.detail.again_in_seconds <= 6.25
    assert (play.state.phase, play.state.retry.meeting) == (Phase.STANDBY, "giao-ban")
    assert play.state.retry.at > play.state.at
    play.wait(7)
    assert (play.phase, play.state.retry.at) == (Phase.JOINING, None)
    play.light()
    play.flow()
    assert (play.phase, play.state.retry) == (Phase.IN_MEETING, None)
    assert len(play.acks("c1")) == len({ack.seq for ack in play.acks("c1")}), "one final word"
    assert play.events().count("joining-again") == 1
    assert not play.all(do.RememberMeeting)[-1].record.retrying


def test_the_pauses_grow_and_nothing_is_open_meanwhile() -> None:
    play = failed(Playbook())
    pauses = [fail_again(play) for _ in range(6)]
    shortest = [5, 10, 20, 40, 60, 60]
    assert all(low <= pause <= low * 1.25 + 1 for low, pause in zip(shortest, pauses, strict=True))
    assert play.state.camera == play.state.microphone == "off"
    assert play.all(do.SetLamp)[-1].mode == "off"


def test_rooms_that_failed_at_once_do_not_come_back_at_once() -> None:
    pauses = {
        failed(Playbook(structs.replace(PROFILE, room=f"xa-{n}")))
        .acks("c1")[-1]
        .detail.again_in_seconds
        for n in range(20)
    }
    assert len(pauses) > 10


def test_a_meeting_is_given_up_at_its_end_and_the_hub_hears_of_it() -> None:
    play = failed(Playbook(), until=START + timedelta(minutes=2))
    while play.state.retry is not None:
        fail_again(play)
    assert play.seconds <= 130
    assert play.events()[-1] == "join-given-up"
    assert play.all(do.RememberMeeting)[-1].record is None
    play.wait(3600)
    assert play.phase is Phase.STANDBY


def test_a_meeting_without_an_end_is_tried_for_an_hour() -> None:
    play = failed(Playbook())
    while play.state.retry is not None:
        fail_again(play)
    assert 3500 < play.seconds < 3720


def test_no_time_left_is_no_promise() -> None:
    play = failed(Playbook(), until=START + timedelta(seconds=12))
    assert play.acks("c1")[-1].detail.again_in_seconds is None
    assert play.state.retry is None


@pytest.mark.parametrize("meeting", [None, "giao-ban"])
def test_a_leave_ends_it_between_two_tries(meeting: str | None) -> None:
    play = failed(Playbook())
    play.command("leave", **({"meeting": meeting} if meeting else {}))
    assert (play.acks("c2")[-1].state, play.acks("c2")[-1].code) == (AckState.SUCCEEDED, Code.OK)
    assert play.state.retry is None
    assert play.all(do.RememberMeeting)[-1].record is None
    play.wait(600)
    assert play.phase is Phase.STANDBY


def test_a_leave_ends_it_during_a_try_and_one_of_another_meeting_does_not() -> None:
    play = failed(Playbook())
    play.command("leave", meeting="another")
    play.wait(7)
    assert play.phase is Phase.JOINING
    play.command("leave")
    play.exit("")
    play.wait(600)
    assert (play.phase, play.state.retry) == (Phase.STANDBY, None)


@pytest.mark.parametrize("seconds", [1, 7], ids=["between two tries", "during a try"])
def test_another_join_takes_its_place_without_being_asked_to_replace(seconds: float) -> None:
    play = failed(Playbook())
    play.wait(seconds)
    play.join("another")
    if play.phase is Phase.LEAVING:
        play.exit("")
    play.light()
    play.flow()
    assert (play.phase, play.state.meeting.id, play.state.retry) == (
        Phase.IN_MEETING,
        "another",
        None,
    )
    play.command("leave")
    play.exit("")
    play.wait(600)
    assert play.phase is Phase.STANDBY


def test_the_same_join_during_a_try_is_answered_with_it() -> None:
    play = failed(Playbook())
    play.wait(7)
    play.join(timeout_seconds=60)
    play.wait(30)
    assert play.phase is Phase.JOINING, "it has its own time"
    play.flow()
    assert play.acks("c2")[-1].state is AckState.SUCCEEDED
    assert play.phase is Phase.IN_MEETING


def test_it_goes_on_after_a_restart() -> None:
    record = failed(Playbook()).all(do.RememberMeeting)[-1].record
    assert record.retrying
    play = Playbook()
    play.tell(Restored(meeting=record, unfinished=[], cold=True))
    assert (play.phase, play.state.retry.meeting) == (Phase.STANDBY, "giao-ban")
    play.wait(7)
    assert play.phase is Phase.JOINING
    assert play.all(do.RememberMeeting)[-1].record.retrying, "not in it yet: no meeting to resume"


def test_a_refused_join_and_a_meeting_that_was_left_are_not_tried_again() -> None:
    play = Playbook()
    play.join(until=START - timedelta(hours=1))
    assert play.acks("c1")[-1].code is Code.BAD_FIELD
    assert play.room.lifecycle.retry.state is None
    play.enter()
    play.command("leave")
    play.exit("")
    play.wait(600)
    assert play.phase is Phase.STANDBY


def test_the_screen_says_so_between_the_tries() -> None:
    play = failed(Playbook(WITH_SCREEN))
    shown = play.room.taking_part.announcements.shown
    assert shown == Retrying("giao-ban", "media-unreachable")
    play.wait(7)
    assert play.room.taking_part.announcements.shown is None
    assert play.phase is Phase.JOINING
    play.command("leave")
    play.exit("")
    assert play.room.taking_part.announcements.shown is None


def test_a_clock_that_is_set_meanwhile_ends_what_is_over() -> None:
    play = failed(Playbook(), until=START + timedelta(minutes=30))
    play.clock_jumps(timedelta(hours=2))
    play.wait(600)
    assert (play.phase, play.state.retry) == (Phase.STANDBY, None)
    assert play.events()[-1] == "join-given-up"
