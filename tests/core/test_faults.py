"""What the room does when things break, and after a restart."""

from __future__ import annotations

from datetime import timedelta

from msgspec import structs

from agent.core.health import SOON_SECONDS
from agent.core.model import effects as do
from agent.core.model.commands import (
    AckState,
    Code,
    Command,
    Join,
    Leave,
    Meeting,
    Mute,
    Origin,
    Restart,
    Volume,
)
from agent.core.model.deadlines import MediaStartDue
from agent.core.model.documents import DeviceStatus, DownlinkHealth, Phase, Status, UplinkHealth
from agent.core.model.events import (
    DevicesProbed,
    HostSampled,
    LinkChanged,
    MediaExited,
    MeetingRecord,
    MessageRefused,
    Restored,
    RoundTripMeasured,
    StopRequested,
)
from agent.core.model.figures import DownlinkFigures, MediaFigures, UplinkFigures
from agent.core.model.media import DownlinkReported, Measured, UplinkReported
from agent.core.set_aside import RETRY_SECONDS
from tests.core.playbook import HOST, PROFILE, SERVER, START, Playbook


def restored(
    play: Playbook, *, join: Join, unfinished: list[Command] | None = None, cold: bool = False
):
    record = MeetingRecord(Command("j1", "join", join, Origin.HUB), START.timestamp() - 600)
    return play.tell(Restored(record, unfinished or [], cold))


def test_a_dead_media_process_is_replaced_and_the_room_comes_back() -> None:
    play = Playbook()
    play.enter()
    play.exit()
    assert play.phase is Phase.RECONNECTING
    assert (play.state.camera, play.state.microphone) == ("off", "off")
    play.wait(1)
    assert len(play.all(do.StartMedia)) == 2
    play.flow()
    assert play.phase is Phase.IN_MEETING
    assert "reconnected" in play.events()


def test_a_room_whose_media_process_is_dead_is_not_in_its_meeting() -> None:
    play = Playbook()
    play.enter()
    play.exit("killed by SIGKILL")
    play.light()  # whatever makes the room look again
    assert play.phase is Phase.RECONNECTING
    assert "reconnected" not in play.events()


def test_a_journal_that_was_broken_is_told() -> None:
    play = Playbook()
    broken = DeviceStatus(Status.DEGRADED, "journal-replaced", "check the SD card")
    play.tell(Restored(None, [], cold=False, journal=broken))
    (fault,) = [one.event for one in play.all(do.PublishEvent)]
    assert (fault.type, fault.code, fault.text) == (
        "fault",
        "journal-replaced",
        "check the SD card",
    )


def test_the_report_of_a_media_process_that_is_gone_counts_for_nothing() -> None:
    play = Playbook()
    play.enter()
    old = play.generation
    play.exit()
    play.wait(1)
    assert play.tell(MediaExited(old, 0)) == []


def test_a_media_process_that_keeps_dying_fails_the_join_and_backs_off_in_a_meeting() -> None:
    play = Playbook()
    play.join()
    for _ in range(3):
        play.exit("segmentation fault")
        play.wait(3)
    assert play.acks("c1")[-1].code is Code.MEDIA_PROCESS_FAILED
    assert play.phase is Phase.STANDBY
    play.enter()
    waits = []
    for _ in range(8):
        before = play.seconds
        play.exit()
        waits.append(play.deadlines[MediaStartDue()] - before)
        play.wait(60)
    assert waits[0] < 1
    assert waits == sorted(waits[:6]) + waits[6:]
    assert max(waits) <= 40


def test_a_stalled_link_is_reconnecting_until_it_flows() -> None:
    play = Playbook()
    play.enter()
    play.report(UplinkReported("stalled", "no receiver report for 4 s"))
    assert play.state.phase is Phase.RECONNECTING
    play.report(UplinkReported("flowing"))
    assert play.state.phase is Phase.IN_MEETING
    told = [one.event for one in play.all(do.PublishEvent) if one.event.type.startswith("reconn")]
    assert [event.type for event in told] == ["reconnecting", "reconnected"]
    assert told[0].text == "Our stream does not arrive any more: no receiver report for 4 s"


def test_a_refusal_in_the_meeting_is_waited_out_since_the_media_process_asks_again() -> None:
    play = Playbook()
    play.enter()
    effects = play.report(UplinkReported("refused", "401 Unauthorized"))
    assert play.phase is Phase.RECONNECTING
    assert do.StopMedia() not in effects
    play.report(UplinkReported("flowing"))
    assert play.phase is Phase.IN_MEETING


def test_one_silent_source_of_two_degrades_but_does_not_reconnect() -> None:
    play = Playbook()
    play.tell(HostSampled(HOST))
    play.enter(play=[{"url": SERVER + "/a/whep", "label": "A"}, {"url": SERVER + "/b/whep"}])
    play.report(DownlinkReported(SERVER + "/a/whep", "stalled"))
    assert play.phase is Phase.IN_MEETING
    play.wait(1)
    health = play.all(do.PublishHealth)[-1].health
    assert (health.media.status, health.media.text) == ("degraded", "Nothing arrives from A")
    assert health.status is Status.DEGRADED


def test_a_screen_that_cannot_keep_up_degrades_the_media() -> None:
    play = Playbook()
    play.tell(HostSampled(HOST))
    play.enter()
    for overloaded, code in ((True, "overloaded"), (False, "ok")):
        play.report(Measured(MediaFigures(screen_overloaded=overloaded)))
        play.tell(HostSampled(HOST))
        media = play.all(do.PublishHealth)[-1].health.media
        assert (media.code, media.screen_overloaded) == (code, overloaded)
        assert ("too slow" in media.text) == overloaded


def test_a_picture_given_up_for_the_sound_degrades_and_is_named() -> None:
    play = Playbook()
    play.tell(HostSampled(HOST))
    play.enter()
    play.report(Measured(MediaFigures(uplink=UplinkFigures(picture_given_up=True))))
    play.tell(HostSampled(HOST))
    media = play.all(do.PublishHealth)[-1].health.media
    assert (media.status, media.code) == ("degraded", "narrow-link")
    assert "this room" in media.text
    down = DownlinkFigures(url=f"{SERVER}/giao-ban/whep", picture_given_up=True)
    play.report(Measured(MediaFigures(uplink=UplinkFigures(), downlinks=[down])))
    play.tell(HostSampled(HOST))
    text = play.all(do.PublishHealth)[-1].health.media.text
    assert text == "The link is too narrow for the picture of http://media/giao-ban/whep"


def test_after_a_crash_in_a_meeting_the_room_is_back_in_it_muted() -> None:
    play = Playbook()
    restored(play, join=Join(meeting=Meeting("giao-ban"), microphone="live"), cold=True)
    assert play.phase is Phase.RECONNECTING
    assert not play.all(do.StartMedia)[0].plan.microphone_live
    assert play.events() == ["power-restored", "resumed"]
    play.light()
    play.flow()
    assert play.phase is Phase.IN_MEETING
    assert not play.all(do.SendAck), "the join was answered before the crash"


def test_a_join_cut_off_by_a_crash_is_finished() -> None:
    play = Playbook()
    join = Join(meeting=Meeting("giao-ban"))
    restored(play, join=join, unfinished=[Command("j1", "join", join, Origin.HUB)])
    play.light()
    play.flow()
    assert play.states("j1")[-1] is AckState.SUCCEEDED
    assert play.states("j1").count(AckState.SUCCEEDED) == 1


def test_after_the_meetings_time_the_room_stays_in_standby_and_says_why() -> None:
    play = Playbook()
    restored(play, join=Join(meeting=Meeting("giao-ban"), until=START - timedelta(minutes=5)))
    assert play.phase is Phase.STANDBY
    assert not play.all(do.StartMedia)
    assert play.events() == ["meeting-over"]
    assert play.all(do.RememberMeeting)[-1].record is None


def test_interrupted_commands_end_by_rule() -> None:
    play = Playbook()
    bodies = {"v": Volume(5), "m": Mute(), "a": Restart("agent"), "h": Restart("host")}
    commands = [Command(i, type(b).__name__.lower(), b, Origin.HUB) for i, b in bodies.items()]
    play.tell(Restored(None, commands, cold=False))
    finals = {i: (play.acks(i)[-1].state, play.acks(i)[-1].code) for i in bodies}
    assert finals == {
        "v": (AckState.FAILED, Code.INTERRUPTED),
        "m": (AckState.SUCCEEDED, Code.OK),
        "a": (AckState.SUCCEEDED, Code.OK),
        "h": (AckState.FAILED, Code.INTERRUPTED),
    }


def test_a_leave_cut_off_by_a_crash_is_finished_not_resumed() -> None:
    play = Playbook()
    leave = Command("l1", "leave", Leave(), Origin.HUB)
    restored(play, join=Join(meeting=Meeting("giao-ban")), unfinished=[leave])
    assert play.phase is Phase.STANDBY
    assert play.states("l1") == [AckState.SUCCEEDED]
    assert play.all(do.RememberMeeting)[-1].record is None


def camera(status: Status, code: str) -> DeviceStatus:
    return DeviceStatus(status, code, "Camera: check its cable")


def test_a_fault_and_its_end_are_told_once_and_health_follows_at_once() -> None:
    play = Playbook(structs.replace(PROFILE, required=frozenset({"camera"})))
    play.tell(Restored(None, [], cold=False))
    for _ in range(2):
        play.tell(DevicesProbed({"camera": camera(Status.ABSENT, "not-found")}))
        play.tell(HostSampled(HOST))
    assert play.events() == ["fault"]
    assert play.all(do.PublishHealth)[-1].health.status is Status.FAILED
    play.tell(DevicesProbed({"camera": camera(Status.OK, "ok")}))
    assert play.events() == ["fault", "fault-cleared"]
    play.wait(1)
    assert play.all(do.PublishHealth)[-1].health.status is Status.OK


def test_what_the_media_process_said_of_a_device_ends_with_it() -> None:
    play = Playbook()
    play.tell(DevicesProbed({"camera": DeviceStatus(Status.OK, "ok", "Camera: there")}))
    play.join()
    play.opened("camera", Status.FAILED, "Camera: busy")
    assert play.room.health.devices["camera"].text == "Camera: busy"
    play.command("leave")
    play.exit("")
    assert play.room.health.devices["camera"].text == "Camera: there"
    assert play.events()[-1] == "fault-cleared"


def test_health_comes_regularly() -> None:
    play = Playbook()
    play.tell(Restored(None, [], cold=False))
    before = len(play.all(do.Probe))
    play.wait(185)
    assert len(play.all(do.Probe)) == before + 3


def test_when_the_link_comes_up_state_health_and_the_outbox_go_out() -> None:
    play = Playbook()
    play.tell(Restored(None, [], cold=False))
    effects = play.tell(LinkChanged(True, "session-1"))
    assert do.ResendUnsent() in effects
    assert not play.all(do.PublishHealth), "nothing is known before the first look"
    assert play.state.session == "session-1"
    play.tell(HostSampled(HOST))
    effects = play.tell(LinkChanged(True, "session-2"))
    assert any(isinstance(e, do.PublishHealth) for e in effects)


def test_each_connection_is_told_state_and_health_once() -> None:
    """Rooms that lose a hub together come back together, and some by a link of 3G."""
    play = Playbook()
    play.tell(Restored(None, [], cold=False))
    play.tell(HostSampled(HOST))
    before = len(play.effects)
    play.tell(LinkChanged(True, "session-1"))
    play.wait(5)
    told = [type(effect) for effect in play.effects[before:]]
    assert (told.count(do.PublishState), told.count(do.PublishHealth)) == (1, 1)


def test_another_agent_of_this_name_is_told_in_an_event_and_in_health() -> None:
    play = Playbook()
    play.tell(Restored(None, [], cold=False))
    play.tell(HostSampled(HOST))
    for number in range(20):  # they take turns
        play.tell(LinkChanged(False, code="session-taken-over", text="another one"))
        play.tell(LinkChanged(True, f"s{number}", "session-taken-over", "another one"))
        play.wait(1)
    faults = [e.event for e in play.all(do.PublishEvent) if e.event.type == "fault"]
    assert [(one.code, one.detail.device) for one in faults] == [("session-taken-over", "hub")]
    health = play.all(do.PublishHealth)[-1].health
    assert health.devices["hub"].code == "session-taken-over"
    assert health.status is Status.DEGRADED
    play.tell(LinkChanged(True, "alone", "ok", ""))
    assert play.events()[-1] == "fault-cleared"


def test_what_the_hub_refused_is_tried_again_and_its_trouble_is_over_when_it_takes_it() -> None:
    """A connection lasts for months; a quota is full for minutes."""
    play = Playbook()
    play.tell(Restored(None, [], cold=False))
    play.tell(HostSampled(HOST))
    play.tell(LinkChanged(True, "session-1"))
    play.tell(MessageRefused("7", "quota-exceeded", "too much"))
    assert play.events()[-1] == "fault"
    again = do.ResendUnsent(refused=True)
    play.wait(RETRY_SECONDS)
    assert play.all(do.ResendUnsent)[-1] == again
    play.tell(MessageRefused("7", "quota-exceeded", "too much"))
    play.wait(RETRY_SECONDS)
    assert play.all(do.ResendUnsent).count(again) == 2
    assert "fault-cleared" not in play.events(), "it still refuses"
    play.wait(RETRY_SECONDS)
    assert play.events()[-1] == "fault-cleared"
    play.wait(SOON_SECONDS)
    assert play.all(do.PublishHealth)[-1].health.devices["hub"].code == "ok"
    play.wait(3 * RETRY_SECONDS)
    assert play.all(do.ResendUnsent).count(again) == 2, "nothing is left to be tried"


def test_a_trouble_of_the_connection_itself_stays_as_long_as_it_does() -> None:
    play = Playbook()
    play.tell(Restored(None, [], cold=False))
    play.tell(HostSampled(HOST))
    play.tell(LinkChanged(True, "session-1", "limited-hub", "no retained messages"))
    play.tell(MessageRefused("7", "quota-exceeded", "too much"))
    play.wait(3 * RETRY_SECONDS)
    assert "fault-cleared" not in play.events()
    assert play.all(do.PublishHealth)[-1].health.devices["hub"].code == "limited-hub"


def test_a_refusal_ends_with_its_connection() -> None:
    play = Playbook()
    play.tell(Restored(None, [], cold=False))
    play.tell(LinkChanged(True, "session-1"))
    play.tell(MessageRefused("7", "quota-exceeded", "too much"))
    play.tell(LinkChanged(False, "session-1", "lost", "gone"))
    play.tell(LinkChanged(True, "session-2"))
    assert play.events()[-1] == "fault-cleared"
    play.wait(3 * RETRY_SECONDS)
    assert do.ResendUnsent(refused=True) not in play.all(do.ResendUnsent)


def test_a_stop_in_a_meeting_sees_the_media_process_out_and_keeps_the_meeting() -> None:
    play = Playbook()
    play.enter()
    assert do.StopMedia() in play.tell(StopRequested("SIGTERM"))
    assert not play.all(do.EndDaemon)
    assert play.command("leave") == [], "left for the next run: the broker sends it again"
    effects = play.exit("ended")
    assert do.EndDaemon() in effects
    assert (play.state.camera, play.state.microphone) == ("off", "off")
    assert play.events()[-2:] == ["device-closed", "device-closed"]
    assert play.all(do.RememberMeeting)[-1].record is not None


def test_a_stop_waits_for_no_media_process_that_does_not_end_and_a_second_one_for_none() -> None:
    play = Playbook()
    play.enter()
    play.tell(StopRequested("SIGTERM"))
    assert do.EndDaemon() in play.wait(6)
    play = Playbook()
    play.enter()
    play.tell(StopRequested("SIGTERM"))
    assert do.EndDaemon() in play.tell(StopRequested("SIGTERM"))


def test_health_has_the_round_trip_while_there_is_one() -> None:
    play = Playbook()
    play.tell(RoundTripMeasured(12.5))
    play.tell(HostSampled(HOST))
    assert play.room.health.latest.host.broker_round_trip_milliseconds == 12.5
    play.tell(RoundTripMeasured(None))
    play.tell(HostSampled(HOST))
    assert play.room.health.latest.host == HOST


def test_systemd_is_told_why_it_stops() -> None:
    effects = Playbook().tell(StopRequested("SIGTERM"))
    assert do.SetServiceStatus("stopping: SIGTERM") in effects


def test_a_stop_outside_of_a_meeting_ends_at_once() -> None:
    assert do.EndDaemon() in Playbook().tell(StopRequested("SIGTERM"))


def test_an_end_at_the_end_of_time_is_no_end() -> None:
    play = Playbook()
    play.enter(until="9999-12-31T23:59:59Z")
    play.wait(200)
    assert play.phase is Phase.IN_MEETING
    last = play.all(do.RememberMeeting)[-1].record
    again = Playbook()
    again.tell(Restored(last, [], cold=True))
    assert again.phase is Phase.RECONNECTING


def test_a_meeting_of_days_ago_that_a_wrong_clock_resumed_ends_when_the_clock_is_right() -> None:
    play = Playbook()
    play.synchronised = False
    restored(play, join=Join(meeting=Meeting("giao-ban")), cold=True)
    play.light()
    play.flow()
    play.wait(120)
    assert play.phase is Phase.IN_MEETING
    play.clock_jumps(timedelta(days=3))
    play.synchronised = True
    play.wait(61)
    assert play.phase is Phase.LEAVING
    assert play.events()[-1] == "meeting-over"


def test_a_resumed_meeting_of_today_is_not_ended_by_the_clock() -> None:
    play = Playbook()
    play.synchronised = False
    restored(play, join=Join(meeting=Meeting("giao-ban")), cold=True)
    play.light()
    play.flow()
    play.synchronised = True
    play.wait(13 * 3600)
    assert play.phase is Phase.IN_MEETING


def test_a_meeting_begun_by_a_wrong_clock_is_gone_back_into_when_the_clock_was_set() -> None:
    play = Playbook()
    play.synchronised = False
    play.tell(Restored(None, [], cold=True))
    play.enter()
    play.clock_jumps(timedelta(days=3))
    play.synchronised = True
    play.wait(61)
    assert play.state.meeting.since == START + timedelta(days=3)
    assert play.state.agent.started == START + timedelta(days=3)

    again = Playbook()
    again.clock_jumps(timedelta(days=3, hours=1))
    again.tell(Restored(play.all(do.RememberMeeting)[-1].record, [], cold=True))
    assert again.phase is Phase.RECONNECTING


def test_the_links_states_and_texts_are_the_cores_whatever_is_measured() -> None:
    """The figures of a link come beside its state and its text, never in their place."""
    play = Playbook()
    play.enter()
    url = f"{SERVER}/giao-ban/whep"
    down = DownlinkFigures(url=url, frames_per_second=24.8)
    play.report(Measured(MediaFigures(uplink=UplinkFigures(attempts=2), downlinks=[down])))
    play.report(DownlinkReported(url, "stalled", "nothing for 5 s"))
    play.report(UplinkReported("refused", "403 Forbidden"))
    play.tell(HostSampled(HOST))
    media = play.room.health.latest.media
    assert media.uplink == UplinkHealth(state="refused", text="403 Forbidden", attempts=2)
    assert media.downlinks == [
        DownlinkHealth(
            url=url, label=url, state="stalled", text="nothing for 5 s", frames_per_second=24.8
        )
    ]


def test_a_device_is_required_by_the_settings_word_alone() -> None:
    play = Playbook()
    play.tell(DevicesProbed({"camera": DeviceStatus(Status.OK, "ok", "there", required=True)}))
    assert play.room.health.devices["camera"].required is False
    play.join()
    play.opened("microphone")
    assert play.room.health.devices["microphone"].required is True


def test_a_thousand_failed_media_processes_are_followed_by_another() -> None:
    play = Playbook()
    play.enter()
    for _ in range(1100):
        play.exit("cannot start")
        play.wait(60)
    assert play.generation == 1101
