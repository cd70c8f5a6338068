"""Into a meeting and out of it: the order of effects and the one final answer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs

from agent.core.audit import AUDITED
from agent.core.model import effects as do
from agent.core.model.commands import FINAL_STATES, AckState, Code
from agent.core.model.documents import Phase, Status
from agent.core.model.events import DisplaySwitched
from agent.core.model.media import DownlinkReported, SetSources, UplinkReported
from tests.core.playbook import PROFILE, SERVER, START, Playbook, kinds

A, R, S = AckState.ACCEPTED, AckState.RUNNING, AckState.SUCCEEDED


def test_a_join_is_journalled_then_acknowledged_then_done() -> None:
    play = Playbook()
    effects = play.join()
    order = [k for k in kinds(effects) if k not in (do.SetServiceStatus, do.CancelDeadline)]
    assert order[:6] == [
        do.RecordCommand,
        do.AcknowledgeDelivery,
        do.SendAck,
        do.RememberMeeting,
        do.SetLamp,
        do.SwitchDisplay,
    ]
    assert order.index(do.SetLamp) < order.index(do.StartMedia), (
        "the lamp is lit before a device opens"
    )
    plan = play.all(do.StartMedia)[0].plan
    assert plan.publish.url == SERVER + "/giao-ban-xa-a/whip"
    assert [s.url for s in plan.play] == [SERVER + "/giao-ban/whep"]
    assert not plan.microphone_live, "a join is muted unless it says otherwise"
    assert play.phase is Phase.JOINING


def test_a_join_succeeds_when_display_uplink_and_downlink_are_there() -> None:
    play = Playbook()
    play.join()
    play.flow()
    assert play.states("c1") == [A, R], "the display is still cold"
    play.light()
    assert play.states("c1") == [A, R, S]
    assert play.state.phase is Phase.IN_MEETING
    assert (play.state.camera, play.state.microphone, play.state.display) == ("live", "muted", "on")


def test_a_join_without_a_camera_names_it() -> None:
    play = Playbook()
    play.join()
    play.opened("camera", Status.ABSENT, "Camera: not found. Check its cable")
    play.light()
    play.report(UplinkReported("flowing"))
    play.report(DownlinkReported(SERVER + "/giao-ban/whep", "flowing"))
    final = play.acks("c1")[-1]
    assert final.state is S
    assert final.detail.missing == {"camera": "Camera: not found. Check its cable"}


def test_of_several_sources_one_is_enough_and_the_silent_are_named() -> None:
    play = Playbook()
    sources = [{"url": SERVER + "/a/whep", "label": "A"}, {"url": SERVER + "/b/whep", "label": "B"}]
    play.join(play=sources)
    play.light()
    play.report(UplinkReported("flowing"))
    play.report(DownlinkReported(SERVER + "/a/whep", "flowing"))
    assert play.states("c1")[-1] is R, "the other gets a moment"
    play.wait(2)
    final = play.acks("c1")[-1]
    assert final.state is S
    assert final.detail.silent_sources == ["B"]


@pytest.mark.parametrize(
    ("reports", "code"),
    [
        ([], Code.TIMEOUT),
        ([UplinkReported("unreachable", "no answer")], Code.MEDIA_UNREACHABLE),
        ([UplinkReported("flowing")], Code.NO_PICTURE_OR_SOUND),
    ],
)
def test_a_join_that_does_not_come_true_in_time_fails_once_and_leaves(reports, code) -> None:
    play = Playbook()
    play.join(timeout_seconds=10)
    play.light()
    for report in reports:
        play.report(report)
    play.wait(11)
    final = play.acks("c1")[-1]
    assert (final.state, final.code) == (AckState.FAILED, code)
    assert play.phase is Phase.LEAVING
    play.exit("exited")
    assert play.phase is Phase.STANDBY
    assert play.all(do.SetLamp)[-1].mode == "off"
    assert play.states("c1").count(AckState.FAILED) == 1


def test_each_join_waits_a_moment_for_the_rest_of_its_sources() -> None:
    play = Playbook()
    sources = [{"url": SERVER + "/a"}, {"url": SERVER + "/b", "label": "B"}]
    for meeting, join in (("first", "c1"), ("second", "c3")):
        play.join(meeting, play=sources)
        play.light()
        play.opened("camera")
        play.report(UplinkReported("flowing"))
        play.report(DownlinkReported(SERVER + "/a", "flowing"))
        assert play.phase is Phase.JOINING
        play.wait(1)
        assert play.acks(join)[-1].detail.silent_sources == ["B"]
        play.command("leave")
        play.exit("")


def test_a_refused_stream_fails_at_once() -> None:
    play = Playbook()
    play.join()
    play.report(UplinkReported("refused", "401 Unauthorized"))
    final = play.acks("c1")[-1]
    assert final.code is Code.UPLINK_REFUSED
    assert "401" in final.text


def test_a_meeting_that_refuses_to_be_played_fails_at_once() -> None:
    play = Playbook()
    play.join(play=[{"url": SERVER + "/a"}, {"url": SERVER + "/b"}])
    play.report(DownlinkReported(SERVER + "/a", "refused", "403 Forbidden"))
    assert play.phase is Phase.JOINING, "the other one may still come"
    play.report(DownlinkReported(SERVER + "/b", "refused", "403 Forbidden"))
    final = play.acks("c1")[-1]
    assert (final.code, play.phase) == (Code.DOWNLINK_REFUSED, Phase.LEAVING)
    assert "403" in final.text


def test_joining_the_meeting_one_is_in_succeeds_at_once_and_touches_nothing() -> None:
    play = Playbook()
    play.enter()
    effects = play.join()
    assert play.acks("c2")[-1].code is Code.ALREADY
    assert not {do.StartMedia, do.StopMedia, do.InstructMedia} & set(kinds(effects))


def test_joining_again_changes_the_sources_only() -> None:
    play = Playbook()
    play.enter(play=[{"url": SERVER + "/a/whep"}])
    effects = play.join(play=[{"url": SERVER + "/a/whep"}, {"url": SERVER + "/b/whep"}])
    told = [e.instruction for e in effects if isinstance(e, do.InstructMedia)]
    assert [type(i) for i in told] == [SetSources]
    assert play.phase is Phase.IN_MEETING


def test_what_joining_again_changed_survives_a_restart() -> None:
    play = Playbook()
    play.enter()
    later = START + timedelta(hours=2)
    play.join(until=later, play=[{"url": SERVER + "/b"}])
    kept = play.all(do.RememberMeeting)[-1].record.command.body
    assert (kept.until, [one.url for one in kept.play]) == (later, [SERVER + "/b"])


def test_two_joins_of_the_same_meeting_get_one_answer_each() -> None:
    play = Playbook()
    play.join()
    play.join()
    play.light()
    play.flow()
    assert play.states("c1")[-1] is S
    assert play.states("c2")[-1] is S
    assert len(play.all(do.StartMedia)) == 1


def test_another_meeting_is_refused_unless_it_replaces() -> None:
    play = Playbook()
    play.enter()
    play.join("khan-cap")
    assert play.acks("c2")[-1].code is Code.IN_MEETING
    play.join("khan-cap", replace=True)
    assert play.phase is Phase.LEAVING
    assert len(play.all(do.StartMedia)) == 1, "one media process at a time holds the devices"
    play.exit("exited")
    assert play.phase is Phase.JOINING
    assert play.all(do.StartMedia)[-1].plan.meeting == "khan-cap"
    assert [e.mode for e in play.all(do.SetLamp)] == ["muted", "muted"], (
        "the lamp never goes off between"
    )
    play.flow()
    assert play.states("c3")[-1] is S


def test_a_leave_ends_the_join_that_was_under_way() -> None:
    play = Playbook()
    play.join()
    play.command("leave")
    assert play.states("c1")[-1] is AckState.SUPERSEDED
    play.exit("exited")
    assert play.states("c2") == [A, R, S]
    assert play.phase is Phase.STANDBY
    assert play.state.meeting is None


def test_leaving_closes_the_devices_and_holds_the_display_for_a_while() -> None:
    play = Playbook()
    play.enter()
    play.command("leave")
    assert play.states("c2") == [A, R], "left only when the media process is gone"
    play.exit("exited")
    assert play.states("c2")[-1] is S
    assert (play.state.camera, play.state.microphone) == ("off", "off")
    play.wait(59)
    assert do.SwitchDisplay(False) not in play.effects
    play.wait(2)
    assert do.SwitchDisplay(False) in play.effects


def test_leaving_when_in_no_or_another_meeting_is_true_already() -> None:
    play = Playbook()
    play.command("leave")
    assert play.acks("c1")[-1].code is Code.ALREADY
    play.enter()
    play.command("leave", meeting="khac")
    assert play.acks("c3")[-1].code is Code.ALREADY
    assert play.phase is Phase.IN_MEETING


def test_a_display_that_does_not_switch_keeps_nobody_out() -> None:
    play = Playbook()
    play.join()
    play.tell(DisplaySwitched(True, "the relay's line is held by another process"))
    play.flow()
    final = play.acks("c1")[-1]
    assert final.state is S
    assert "relay" in final.detail.missing["display"]


def test_no_url_at_all_is_refused_with_what_to_set() -> None:
    play = Playbook(structs.replace(PROFILE, publish_template=None, play_templates=()))
    play.join()
    assert play.acks("c1")[-1].code is Code.NO_MEDIA_URL


def test_the_meeting_ends_by_itself_a_minute_after_until() -> None:
    play = Playbook()
    play.enter(until=START + timedelta(seconds=100))
    play.wait(150)
    assert play.phase is Phase.IN_MEETING
    play.wait(10)
    assert play.phase is Phase.LEAVING
    assert "meeting-over" in play.events()


def test_a_join_that_is_still_under_way_at_the_meetings_end_is_answered() -> None:
    play = Playbook()
    play.join(until=START + timedelta(seconds=10), timeout_seconds=300)
    play.wait(71)
    assert play.phase is Phase.LEAVING
    assert play.acks("c1")[-1].state is AckState.SUPERSEDED


def test_a_projector_that_warms_up_for_longer_than_the_join_may_take_keeps_nobody_out() -> None:
    play = Playbook(structs.replace(PROFILE, display_warm_up_seconds=60))
    play.join()
    play.tell(DisplaySwitched(True))
    play.flow()
    play.wait(29)
    assert play.phase is Phase.JOINING
    play.wait(2)
    assert play.acks("c1")[-1].state is S
    assert play.acks("c1")[-1].detail.missing == {"display": "Display: still warming up"}


def test_a_wrong_peer_ends_the_join_and_is_an_event_that_is_kept() -> None:
    play = Playbook()
    play.join()
    play.report(UplinkReported("wrong-peer", "http://media: somebody else answers"))
    assert play.acks("c1")[-1].code is Code.WRONG_PEER
    (event,) = [e.event for e in play.all(do.PublishEvent) if e.event.type == "wrong-peer"]
    assert event.detail.command == "c1"
    assert event.type in AUDITED


def test_a_wrong_peer_in_a_meeting_is_told_and_the_other_sources_play_on() -> None:
    play = Playbook()
    play.enter(play=[{"url": SERVER + "/a"}, {"url": SERVER + "/b"}])
    play.report(DownlinkReported(SERVER + "/b", "wrong-peer", "somebody else answers"))
    assert play.phase is Phase.IN_MEETING
    assert [e.event for e in play.all(do.PublishEvent) if e.event.type == "wrong-peer"]


def test_what_the_media_server_does_not_take_is_named() -> None:
    play = Playbook()
    play.command("join", id="c1", meeting={"id": "giao-ban"})
    play.opened("microphone")
    play.report(UplinkReported("flowing", refused=("picture",)))
    play.flow()
    play.report(UplinkReported("flowing", refused=("picture",)))
    assert "camera" in play.room.lifecycle.membership.detail().missing


def test_a_repeated_join_is_not_true_while_the_links_are_lost() -> None:
    play = Playbook()
    play.enter()
    play.report(UplinkReported("stalled", "nothing for 5 s"))
    assert play.phase is Phase.RECONNECTING
    play.join(id="again")
    assert play.states("again") == [AckState.ACCEPTED, AckState.RUNNING]
    play.report(UplinkReported("flowing"))
    assert play.states("again")[-1] is AckState.SUCCEEDED


def test_a_repeated_join_fails_in_its_time_and_the_room_stays() -> None:
    play = Playbook()
    play.enter()
    play.report(UplinkReported("stalled", "nothing for 5 s"))
    play.join(id="again", timeout_seconds=5)
    for _ in range(4):
        play.exit("killed")
        play.wait(1)
    play.wait(5)
    assert play.acks("again")[-1].code is Code.TIMEOUT
    assert play.phase is Phase.RECONNECTING
    play.wait(60)
    play.flow()
    assert play.phase is Phase.IN_MEETING
    assert len([s for s in play.states("again") if s in FINAL_STATES]) == 1


@pytest.mark.parametrize("jump", [timedelta(days=-365), timedelta(days=-20_000)])
def test_a_clock_that_is_set_back_by_years_does_not_keep_the_room_in_its_meeting(
    jump: timedelta,
) -> None:
    play = Playbook()
    play.enter(until=(START + timedelta(minutes=30)).isoformat())
    play.wait(60)
    play.clock_jumps(jump)
    play.wait(20 * 60)
    assert play.phase is Phase.IN_MEETING
    play.wait(12 * 60)
    assert "meeting-over" in play.events()
