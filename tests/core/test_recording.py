"""Recording on command: what is asked of the media process, answered, told and remembered."""

from __future__ import annotations

from agent.core.model import effects as do
from agent.core.model.commands import Join
from agent.core.model.documents import EventDetail
from agent.core.model.media import MeetingPlan, RecordingReported, SetRecording
from tests.core.playbook import Playbook

FILE = "/recordings/a.mp4"


def asked(play: Playbook) -> list[SetRecording]:
    instructions = [effect.instruction for effect in play.all(do.InstructMedia)]
    return [one for one in instructions if isinstance(one, SetRecording)]


def remembered(play: Playbook) -> str:
    record = play.all(do.RememberMeeting)[-1].record
    assert record is not None
    assert isinstance(record.command.body, Join)
    return record.command.body.recording


def test_record_in_a_meeting_is_answered_by_the_media_process_and_told() -> None:
    play = Playbook()
    play.enter()
    play.command("record", recording="on", id="r1")
    assert asked(play) == [SetRecording(True, "r1")]
    play.applied("r1")
    assert play.states("r1")[-1] == "succeeded"
    play.report(RecordingReported(True, FILE))
    assert play.state.recording == "on"
    assert play.events()[-1] == "recording-started"
    assert play.all(do.PublishEvent)[-1].event.detail == EventDetail(path=FILE)
    assert remembered(play) == "on"


def test_the_media_process_is_told_whether_the_clock_is_set() -> None:
    """It deletes recordings for their age."""
    plans = []
    for synchronised in (False, True):
        play = Playbook()
        play.synchronised = synchronised
        play.enter()
        plans.append(play.all(do.StartMedia)[-1].plan)
    assert [plan.clock_is_set for plan in plans if isinstance(plan, MeetingPlan)] == [False, True]


def test_record_off_ends_it() -> None:
    play = Playbook()
    play.enter(recording="on")
    play.report(RecordingReported(True, FILE))
    play.command("record", recording="off", id="r1")
    play.applied("r1")
    play.report(RecordingReported(False, FILE))
    assert play.state.recording == "off"
    assert play.events()[-1] == "recording-stopped"
    assert remembered(play) == "off"


def test_a_join_may_ask_for_it_and_it_survives_the_media_process() -> None:
    play = Playbook()
    play.enter(recording="on")
    assert play.all(do.StartMedia)[-1].plan.recording
    play.report(RecordingReported(True, FILE))
    play.exit()
    assert play.state.recording == "off"
    assert "recording-stopped" in play.events()
    play.wait(5)
    assert play.all(do.StartMedia)[-1].plan.recording
    assert play.all(do.StartMedia)[-1].generation == 2


def test_the_next_meeting_is_not_recorded() -> None:
    play = Playbook()
    play.enter(recording="on")
    play.command("leave")
    play.exit()
    play.join("other")
    assert not play.all(do.StartMedia)[-1].plan.recording


def test_a_second_join_for_the_same_meeting_leaves_the_recording_alone() -> None:
    play = Playbook()
    play.enter(recording="on")
    play.join()
    assert remembered(play) == "on"
    assert asked(play) == []


def test_outside_of_a_meeting_there_is_nothing_to_record() -> None:
    play = Playbook()
    play.command("record", recording="on", id="r1")
    assert play.acks("r1")[-1].code == "not-in-meeting"


def test_what_is_true_already_is_said_at_once() -> None:
    play = Playbook()
    play.enter()
    play.command("record", recording="off", id="r1")
    assert (play.states("r1")[-1], play.acks("r1")[-1].code) == ("succeeded", "already")
    assert asked(play) == []


def test_a_full_disk_fails_the_command_and_is_told() -> None:
    play = Playbook()
    play.enter()
    play.command("record", recording="on", id="r1")
    play.report(RecordingReported(False, "", "disk-full", "3 MB left"))
    play.applied("r1", "3 MB left")
    assert (play.states("r1")[-1], play.acks("r1")[-1].code) == ("failed", "disk-full")
    assert play.events()[-1] == "recording-failed"
    assert play.state.recording == "off"


def test_a_media_process_that_does_not_answer_fails_the_command() -> None:
    play = Playbook()
    play.enter()
    play.command("record", recording="on", id="r1")
    play.wait(6)
    assert (play.states("r1")[-1], play.acks("r1")[-1].code) == ("failed", "recording-failed")
