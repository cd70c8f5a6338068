"""An operator believes each answer: what is said to be so is so, also at odd moments."""

from __future__ import annotations

import pytest
from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.commands import AckState, Code, Command, Origin, Ping
from agent.core.model.documents import Phase
from agent.core.model.events import CommandReceived, DisplaySwitched, Restored
from agent.core.model.media import (
    DownlinkReported,
    RecordingReported,
    SetMicrophone,
    SetRecording,
    UplinkReported,
)
from tests.core.playbook import PROFILE, SERVER, Playbook

FILE = "/recordings/a.mp4"


def final(play: Playbook, command_id: str) -> tuple[AckState, Code]:
    ack = play.acks(command_id)[-1]
    return ack.state, ack.code


def test_who_leaves_is_not_unmuted() -> None:
    play = Playbook()
    play.enter()
    play.command("unmute", id="before")
    play.command("leave")
    play.command("unmute", id="after")
    play.exit("exited")
    assert final(play, "before") == (AckState.SUPERSEDED, Code.WITHDRAWN)
    assert final(play, "after") == (AckState.REJECTED, Code.NOT_IN_MEETING)


def test_an_unmute_behind_a_mute_that_failed_is_not_said_to_be_live() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.command("mute", id="m")
    play.wait(1)
    play.command("unmute", id="u")
    assert do.StopMedia() in play.wait(2.5)
    play.exit()
    assert final(play, "u") == (AckState.SUPERSEDED, Code.WITHDRAWN)
    play.wait(1)
    assert not play.all(do.StartMedia)[-1].plan.microphone_live


def test_an_unmute_that_the_next_media_process_brings_about_has_succeeded() -> None:
    play = Playbook()
    play.enter()
    play.command("unmute", id="u")
    play.exit()
    play.wait(1)
    assert final(play, "u") == (AckState.SUCCEEDED, Code.OK)
    assert play.all(do.StartMedia)[-1].plan.microphone_live


@pytest.mark.parametrize(
    ("type", "fields", "device"),
    [("unmute", {}, "microphone"), ("volume", {"speaker": 40}, "speaker")],
)
def test_what_the_room_does_not_have_is_said(type: str, fields, device: str) -> None:
    play = Playbook(structs.replace(PROFILE, fitted=PROFILE.fitted - {device}))
    play.enter()
    play.command(type, id="x", **fields)
    assert final(play, "x") == (AckState.REJECTED, Code.DEVICE_ABSENT)
    assert SetMicrophone not in [type(e.instruction) for e in play.all(do.InstructMedia)]


def test_a_recording_asked_for_while_the_media_process_is_away_is_answered_by_the_next() -> None:
    play = Playbook()
    play.enter()
    play.exit()
    play.command("record", recording="on", id="r")
    play.wait(1)
    assert play.all(do.StartMedia)[-1].plan.recording
    assert play.states("r") == [AckState.ACCEPTED]
    play.report(RecordingReported(True, FILE))
    assert final(play, "r") == (AckState.SUCCEEDED, Code.OK)
    play.wait(10)
    assert play.state.recording == "on"


def test_a_recording_that_the_next_media_process_cannot_begin_has_failed() -> None:
    play = Playbook()
    play.enter()
    play.exit()
    play.command("record", recording="on", id="r")
    play.wait(1)
    play.report(RecordingReported(False, "", Code.DISK_FULL, "3 MB left"))
    assert final(play, "r") == (AckState.FAILED, Code.DISK_FULL)


def test_record_off_is_true_when_the_media_process_is_gone_and_stays_so() -> None:
    play = Playbook()
    play.enter(recording="on")
    play.report(RecordingReported(True, FILE))
    play.command("record", recording="off", id="dying")
    play.exit()
    play.command("record", recording="off", id="dead")
    assert final(play, "dying")[0] is final(play, "dead")[0] is AckState.SUCCEEDED
    play.wait(1)
    assert not play.all(do.StartMedia)[-1].plan.recording


def test_a_recording_that_has_not_begun_is_called_off_at_once() -> None:
    play = Playbook()
    play.enter(recording="on")
    play.exit()
    play.command("record", recording="off", id="off")
    assert final(play, "off")[0] is AckState.SUCCEEDED
    play.wait(1)
    assert not play.all(do.StartMedia)[-1].plan.recording


def test_a_recording_that_broke_off_is_not_begun_again_by_the_next_media_process() -> None:
    play = Playbook()
    play.enter(recording="on")
    play.report(RecordingReported(True, FILE))
    play.report(RecordingReported(False, FILE, "disk-full", "no room"))
    play.exit()
    play.wait(1)
    assert not play.all(do.StartMedia)[-1].plan.recording
    assert play.all(do.RememberMeeting)[-1].record.command.body.recording == "off"


def test_a_volume_that_the_media_process_cannot_set_costs_the_volume_and_not_the_meeting() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.command("volume", id="v1", speaker=40)
    effects = play.applied("v1", error="Speaker: it has no mixer")
    assert final(play, "v1") == (AckState.FAILED, Code.DEVICE_FAILED)
    assert do.StopMedia() not in effects
    assert play.state.microphone == "live"


def test_the_media_process_with_the_standby_picture_is_not_asked_to_record() -> None:
    play = Playbook(structs.replace(PROFILE, has_screen=True))
    play.tell(Restored(None, [], cold=False, display_on=True))
    play.join()
    play.command("record", recording="on", id="r")
    assert not [e for e in play.all(do.InstructMedia) if isinstance(e.instruction, SetRecording)]
    play.exit("exited")
    assert play.states("r") == [AckState.ACCEPTED], "the standby picture's media process ended"
    assert play.all(do.StartMedia)[-1].plan.recording


def test_a_display_that_was_switched_on_does_not_go_off_with_the_last_meetings_hold() -> None:
    play = Playbook()
    play.enter()
    play.command("leave")
    play.exit("exited")
    play.command("display", power="on", id="d")
    assert final(play, "d") == (AckState.SUCCEEDED, Code.ALREADY)
    play.wait(100)
    assert do.SwitchDisplay(False) not in play.effects


def test_a_display_that_was_broken_is_waited_for_once_it_switches() -> None:
    play = Playbook()
    play.join()
    play.tell(DisplaySwitched(True, "stuck"))
    play.flow()
    play.command("leave")
    play.exit("exited")
    play.join()
    play.flow()
    assert play.phase is Phase.JOINING, "its picture is not to be seen yet"
    play.light()
    assert play.phase is Phase.IN_MEETING


def test_while_one_meeting_makes_way_for_another_a_third_is_refused() -> None:
    play = Playbook()
    play.enter()
    play.join("b", replace=True, id="b")
    play.join("c", id="c")
    play.join("giao-ban", id="a")
    assert final(play, "c")[1] is final(play, "a")[1] is Code.IN_MEETING
    play.join("b", id="b-again")
    play.exit("exited")
    assert final(play, "b") == (AckState.SUPERSEDED, Code.WITHDRAWN)
    play.light()
    play.flow()
    assert final(play, "b-again") == (AckState.SUCCEEDED, Code.OK)


def test_a_join_is_in_as_soon_as_a_second_one_takes_the_missing_source_away() -> None:
    play = Playbook()
    play.join(play=[{"url": f"{SERVER}/gone"}])
    play.light()
    play.report(UplinkReported("flowing"))
    play.report(DownlinkReported(f"{SERVER}/gone", "unreachable", "no answer"))
    play.join(play=[])
    assert final(play, "c1")[0] is final(play, "c2")[0] is AckState.SUCCEEDED


def test_an_ack_does_not_outgrow_its_command() -> None:
    play = Playbook()
    unknown = [f"f{number}" for number in range(5000)]
    play.tell(CommandReceived(Command("p", "ping", Ping(), Origin.HUB), unknown_fields=unknown))
    warnings = play.acks("p")[-1].detail.warnings
    assert warnings[0] == "f0: unknown field, ignored"
    assert warnings[10:] == ["and 4990 more"]


def test_what_comes_behind_a_restart_is_left_to_the_next_run() -> None:
    play = Playbook()
    assert do.EndDaemon("agent") in play.command("restart", scope="agent")
    assert play.command("volume", speaker=40) == [], "no PUBACK: the broker gives it again"
