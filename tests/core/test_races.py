"""What comes late, twice or in between: sequences that once went wrong."""

from __future__ import annotations

from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.commands import AckState, Code, Command, Join, Meeting, Origin
from agent.core.model.documents import Phase
from agent.core.model.events import (
    DisplaySwitched,
    LineChanged,
    MeetingRecord,
    Restored,
    StopRequested,
)
from agent.core.model.media import (
    DownlinkReported,
    RecordingReported,
    SetMicrophone,
    UplinkReported,
)
from tests.core.playbook import PROFILE, SERVER, START, Playbook, kinds


def test_an_unmute_that_is_not_confirmed_ends_the_media_process_and_a_mute_asks_it_too() -> None:
    play = Playbook()
    play.enter()
    play.command("unmute")
    assert do.StopMedia() in play.wait(4)
    assert not play.room.microphone.live
    effects = play.command("mute")
    assert do.InstructMedia(SetMicrophone(False, "c3")) in effects
    play.exit()
    play.wait(1)
    assert not play.all(do.StartMedia)[-1].plan.microphone_live


def test_the_state_says_live_until_a_mute_is_confirmed() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.command("mute")
    assert play.state.microphone == "live"
    play.applied("c2")
    assert play.state.microphone == "muted"


def test_a_mute_that_the_media_process_did_not_live_to_confirm_is_true_of_the_next() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.command("mute")
    play.exit()
    play.wait(1)
    play.opened("microphone")
    assert play.state.microphone == "muted"


def test_the_state_says_live_until_a_media_process_that_did_not_confirm_is_gone() -> None:
    play = Playbook()
    play.enter()
    play.command("unmute")
    play.wait(4)
    assert play.state.microphone == "live", "it is being ended, and may be heard until then"
    play.exit()
    assert play.state.microphone == "off"


def test_two_quick_presses_are_confirmed_one_by_one() -> None:
    play = Playbook()
    play.enter()
    for _ in range(2):
        play.tell(LineChanged("mute-button", True))
    told = [e.instruction for e in play.all(do.InstructMedia)]
    assert [i.live for i in told] == [True, False]
    play.applied(told[0].request)
    assert do.StopMedia() in play.wait(4), "the mute was not confirmed"


def test_a_replacing_join_does_not_take_the_hands_mute_back() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.tell(LineChanged("mute-button", True))
    play.join("khan-cap", replace=True, microphone="live")
    play.exit("exited")
    assert not play.all(do.StartMedia)[-1].plan.microphone_live
    play.command("leave")
    play.exit("exited")
    play.join("khan-cap", microphone="live")
    assert not play.all(do.StartMedia)[-1].plan.microphone_live, "nor does a leave and a join"


def test_the_hands_mute_is_over_when_the_room_has_rested() -> None:
    play = Playbook()
    play.tell(Restored(None, [], cold=False, muted_by_hand=True))
    play.wait(301)
    play.enter(microphone="live")
    assert play.all(do.StartMedia)[-1].plan.microphone_live
    play.tell(LineChanged("mute-button", True))
    play.command("leave")
    play.exit("")
    play.wait(299)
    play.command("join", meeting={"id": "soon"}, microphone="live")
    assert not play.all(do.StartMedia)[-1].plan.microphone_live
    play.command("leave")
    play.exit("")
    play.wait(301)
    play.command("join", meeting={"id": "later"}, microphone="live")
    assert play.all(do.StartMedia)[-1].plan.microphone_live


def test_a_mute_by_hand_holds_through_a_restart_in_the_meeting() -> None:
    play = Playbook()
    join = Command("j1", "join", Join(Meeting("giao-ban"), microphone="live"), Origin.HUB)
    record = MeetingRecord(join, START.timestamp())
    play.tell(Restored(record, [], cold=False, muted_by_hand=True))
    play.command("unmute", id="u1")
    assert play.acks("u1")[-1].code is Code.MUTED_BY_HAND


def test_joining_again_keeps_the_camera_off_and_the_endpoints() -> None:
    play = Playbook()
    play.enter(camera="off", publish={"url": SERVER + "/special"}, play=[{"url": SERVER + "/a"}])
    effects = play.join()
    assert do.InstructMedia not in kinds(effects), "no sources were named, so they stay"
    record = play.all(do.RememberMeeting)[-1].record.command.body
    assert (record.camera, record.publish.url) == ("off", SERVER + "/special")
    play.exit()
    play.wait(1)
    assert not play.all(do.StartMedia)[-1].plan.camera_live


def test_leaving_the_meeting_to_come_lets_it_not_come() -> None:
    play = Playbook()
    play.enter()
    play.join("b", replace=True)
    play.command("leave", meeting="b")
    assert play.states("c2")[-1] is AckState.SUPERSEDED
    assert play.states("c3")[-1] is AckState.SUCCEEDED
    play.exit("exited")
    assert play.phase is Phase.STANDBY


def test_leaving_the_meeting_that_is_being_left_lets_the_next_one_come() -> None:
    play = Playbook()
    play.enter()
    play.join("b", replace=True)
    play.command("leave", meeting="giao-ban")
    play.exit("exited")
    assert play.states("c3")[-1] is AckState.SUCCEEDED
    assert play.room.lifecycle.membership.id == "b"


def test_leaving_neither_of_two_meetings_leaves_both_to_come_and_go() -> None:
    play = Playbook()
    play.enter()
    play.join("next", replace=True)
    play.command("leave", id="l1", meeting="a-third")
    assert play.acks("l1")[-1].text == "not in meeting a-third"
    play.exit("")
    assert play.state.meeting.id == "next"


def test_the_display_follows_the_last_order_though_the_relay_answers_late() -> None:
    play = Playbook()
    play.tell(Restored(None, [], cold=False, display_on=True))
    play.command("display", power="off")
    play.join()
    assert play.all(do.SwitchDisplay) == [do.SwitchDisplay(False), do.SwitchDisplay(True)]
    play.tell(DisplaySwitched(False))
    assert play.states("c1")[-1] is AckState.SUCCEEDED
    play.light()
    play.flow()
    assert play.phase is Phase.IN_MEETING


def test_display_on_then_off_ends_off() -> None:
    play = Playbook()
    play.command("display", power="on")
    play.command("display", power="off")
    play.tell(DisplaySwitched(True))
    assert play.states("c2") == [AckState.ACCEPTED]
    play.tell(DisplaySwitched(False))
    assert play.states("c2")[-1] is AckState.SUCCEEDED
    assert not play.room.display.on


def test_flapping_sources_do_not_keep_the_room_out_of_a_meeting_that_works() -> None:
    play = Playbook()
    urls = [f"{SERVER}/{name}" for name in "abc"]
    play.join(play=[{"url": url} for url in urls])
    play.light()
    play.report(UplinkReported("flowing"))
    play.report(DownlinkReported(urls[0], "flowing"))
    for _ in range(4):
        play.wait(0.6)
        play.report(DownlinkReported(urls[1], "unreachable"))
        play.report(DownlinkReported(urls[1], "connecting"))
    assert play.states("c1")[-1] is AckState.SUCCEEDED


def test_a_media_process_that_outlives_sigkill_keeps_nobody_waiting_and_the_lamp_on() -> None:
    play = Playbook()
    play.enter()
    play.command("leave")
    play.join("b")
    play.wait(11)
    assert play.acks("c2")[-1].code is Code.DEVICE_FAILED
    assert play.acks("c3")[-1].state is AckState.FAILED
    assert play.all(do.SetLamp)[-1].mode != "off"
    assert play.state.phase is Phase.FAULT
    play.exit("exited at last")
    assert play.phase is Phase.STANDBY


def test_a_room_whose_device_hangs_can_be_restarted_and_tries_again_to_leave() -> None:
    play = Playbook()
    play.enter()
    play.command("leave")
    play.wait(11)
    play.command("leave", id="again")
    assert play.phase is Phase.LEAVING
    play.command("restart", id="not-yet", scope="host")
    assert play.acks("not-yet")[-1].code is Code.IN_MEETING
    play.wait(11)
    assert play.acks("again")[-1].code is Code.DEVICE_FAILED
    play.command("restart", scope="host")
    assert do.EndDaemon("host") in play.wait(7)


def test_a_recording_that_was_refused_is_not_remembered_as_wanted() -> None:
    play = Playbook()
    play.enter()
    play.command("record", recording="on")
    assert play.all(do.RememberMeeting)[-1].record.command.body.recording == "on"
    play.report(RecordingReported(False, "", Code.DISK_FULL, "the disk is full"))
    play.applied("c2", "the disk is full")
    assert play.all(do.RememberMeeting)[-1].record.command.body.recording == "off"


def test_a_stop_with_the_standby_picture_starts_nothing_any_more() -> None:
    play = Playbook(structs.replace(PROFILE, has_screen=True))
    play.tell(Restored(None, [], cold=False, display_on=True))
    play.tell(StopRequested("SIGTERM"))
    effects = play.exit("exited")
    assert do.EndDaemon() in effects
    assert do.StartMedia not in kinds(effects)


def restarted(play: Playbook, *unfinished: str) -> Playbook:
    """After a power cut, with these commands not answered yet."""
    received = {e.command.id: e.command for e in play.all(do.RecordCommand)}
    again = Playbook()
    record = play.all(do.RememberMeeting)[-1].record
    again.tell(Restored(record, [received[one] for one in unfinished], cold=True))
    return again


def test_a_power_cut_between_two_meetings_loses_neither_the_join_nor_its_answer() -> None:
    """The old one was left, the next had not begun: the room woke up in neither, and stayed there."""
    play = Playbook()
    play.enter()
    play.join("bao", id="next", replace=True, microphone="live")
    again = restarted(play, "next")
    assert again.all(do.StartMedia)[-1].plan.meeting == "bao"
    assert not again.all(do.StartMedia)[-1].plan.microphone_live
    again.light()
    again.flow()
    assert again.states("next")[-1] is AckState.SUCCEEDED
    assert "resumed" in again.events()


def test_a_power_cut_while_the_meeting_begins_anew_goes_on_with_it() -> None:
    play = Playbook()
    play.enter()
    play.join(id="watch", publish=None)
    again = restarted(play, "watch")
    assert again.all(do.StartMedia)[-1].plan.publish is None


def test_a_join_that_a_leave_took_back_is_not_gone_back_into() -> None:
    for fields in ({"meeting": "bao"}, {}):
        play = Playbook()
        play.enter()
        play.join("bao", id="next", replace=True)
        play.command("leave", id="l", **fields)
        assert play.all(do.RememberMeeting)[-1].record is None, fields


def test_a_join_that_came_while_the_room_was_leaving_is_kept_and_the_leave_is_done() -> None:
    play = Playbook()
    play.enter()
    play.command("leave", id="l")
    play.join("bao", id="next")
    again = restarted(play, "l", "next")
    assert again.all(do.StartMedia)[-1].plan.meeting == "bao"
    assert again.states("l")[-1] is AckState.SUCCEEDED
