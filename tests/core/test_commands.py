"""Every other command, repeats and refusals, and the room's own button."""

from __future__ import annotations

from datetime import timedelta

import pytest
from msgspec import structs

from agent.core.dispatch import MAX_OPEN
from agent.core.model import effects as do
from agent.core.model.commands import Ack, AckState, Code, Command, Origin, Ping
from agent.core.model.events import (
    CommandReceived,
    CommandRefused,
    Delivery,
    DisplaySwitched,
    HostSampled,
    LineChanged,
    Restored,
)
from agent.core.model.media import Ready, SetMicrophone, SetVolume
from tests.core.playbook import HOST, PROFILE, START, Playbook, kinds


def final(play: Playbook, command_id: str) -> tuple[AckState, Code]:
    finals = [
        a for a in play.acks(command_id) if a.state not in (AckState.ACCEPTED, AckState.RUNNING)
    ]
    assert len(finals) == 1, finals
    return finals[0].state, finals[0].code


def test_unmute_counts_when_the_media_process_confirms_it() -> None:
    play = Playbook()
    play.enter()
    effects = play.command("unmute")
    assert do.InstructMedia(SetMicrophone(True, "c2")) in effects
    assert play.states("c2") == [AckState.ACCEPTED]
    play.applied("c2")
    assert final(play, "c2") == (AckState.SUCCEEDED, Code.OK)
    assert play.state.microphone == "live"


def test_a_media_process_that_still_loads_its_libraries_confirms_later() -> None:
    play = Playbook()
    play.join(microphone="live")
    play.command("mute")
    play.wait(9)
    assert not play.all(do.StopMedia)
    play.report(Ready(1, "engine"))
    play.wait(4)
    assert play.all(do.StopMedia), "it has nothing more to load"


def test_a_mute_that_the_media_process_does_not_confirm_ends_it() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.command("mute")
    effects = play.wait(4)
    assert do.StopMedia() in effects
    assert final(play, "c2") == (AckState.FAILED, Code.DEVICE_FAILED)
    play.exit()
    play.wait(1)
    assert not play.all(do.StartMedia)[-1].plan.microphone_live


def test_a_mute_while_the_media_process_is_dead_is_true_and_stays() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.exit()
    play.command("mute")
    assert final(play, "c2")[0] is AckState.SUCCEEDED
    play.wait(1)
    assert not play.all(do.StartMedia)[-1].plan.microphone_live


def test_the_rooms_button_is_stronger_than_the_hub() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.tell(LineChanged("mute-button", True))
    play.tell(LineChanged("mute-button", False))
    assert not play.room.microphone.live
    play.command("unmute")
    assert final(play, "c2") == (AckState.REJECTED, Code.MUTED_BY_HAND)
    play.tell(LineChanged("mute-button", True))
    assert play.room.microphone.live
    assert play.events()[-2:] == ["mute-pressed", "mute-pressed"]


def test_the_button_outside_of_a_meeting_opens_nothing() -> None:
    play = Playbook()
    effects = play.tell(LineChanged("mute-button", True))
    assert not {do.InstructMedia, do.StartMedia} & set(kinds(effects))
    assert not play.room.microphone.live


def test_mute_and_unmute_in_standby() -> None:
    play = Playbook()
    play.command("mute")
    play.command("unmute")
    assert final(play, "c1") == (AckState.SUCCEEDED, Code.ALREADY)
    assert final(play, "c2") == (AckState.REJECTED, Code.NOT_IN_MEETING)


def test_after_a_meeting_nobody_is_live_any_more() -> None:
    play = Playbook()
    play.enter(microphone="live")
    play.command("leave")
    play.exit("")
    play.command("mute", id="m1")
    assert final(play, "m1") == (AckState.SUCCEEDED, Code.ALREADY)


def test_volume_is_set_now_or_for_the_next_meeting() -> None:
    play = Playbook()
    play.command("volume", speaker=30)
    assert final(play, "c1")[0] is AckState.SUCCEEDED
    play.enter()
    assert play.all(do.StartMedia)[0].plan.speaker_volume == 30
    assert do.InstructMedia(SetVolume(50, "c3")) in play.command("volume", speaker=50)
    play.applied("c3")
    assert final(play, "c3")[0] is AckState.SUCCEEDED


def test_a_volume_holds_through_a_restart_until_the_settings_say_another() -> None:
    before = Playbook()
    before.command("volume", speaker=30)
    (kept,) = before.all(do.RememberVolume)
    after = Playbook()
    after.tell(Restored(None, [], cold=True, volume=kept.volume))
    after.join()
    assert after.all(do.StartMedia)[0].plan.speaker_volume == 30
    changed = Playbook(structs.replace(PROFILE, speaker_volume=55))
    changed.tell(Restored(None, [], cold=True, volume=kept.volume))
    changed.join()
    assert changed.all(do.StartMedia)[0].plan.speaker_volume == 55


def test_the_display_is_switched_and_stays_on_in_a_meeting() -> None:
    play = Playbook()
    play.command("display", power="on")
    assert play.states("c1") == [AckState.ACCEPTED]
    play.tell(DisplaySwitched(True))
    assert final(play, "c1")[0] is AckState.SUCCEEDED
    play.command("display", power="on")
    assert final(play, "c2") == (AckState.SUCCEEDED, Code.ALREADY)
    play.enter()
    play.command("display", power="off")
    assert final(play, "c4") == (AckState.REJECTED, Code.IN_MEETING)


def test_identify_blinks_and_gives_the_lamp_back() -> None:
    play = Playbook()
    play.command("identify", seconds=5)
    assert do.SetLamp("blink") in play.effects
    play.wait(6)
    assert play.all(do.SetLamp)[-1].mode == "off"


def test_report_is_done_when_health_is_published() -> None:
    play = Playbook()
    assert do.Probe() in play.command("report")
    play.tell(HostSampled(HOST))
    order = kinds(play.effects)
    assert order.index(do.PublishHealth) < len(order) - 1
    assert final(play, "c1") == (AckState.SUCCEEDED, Code.OK)


def test_a_report_that_hangs_fails_in_time() -> None:
    play = Playbook()
    play.command("report")
    play.wait(11)
    assert final(play, "c1") == (AckState.FAILED, Code.TIMEOUT)


def test_a_report_that_hangs_fails_in_time_though_another_is_asked_for_all_the_time() -> None:
    play = Playbook()
    for number in range(5):
        play.command("report", id=f"r{number}")
        play.wait(3)
    assert final(play, "r0") == (AckState.FAILED, Code.TIMEOUT)


@pytest.mark.parametrize("flood", ["report", "join"])
def test_a_flood_of_what_waits_has_an_end_and_mute_and_leave_are_heard(flood: str) -> None:
    """4,000 joins of 25 KB that wait for one meeting were kept, all of them."""
    play = Playbook()
    play.join(id="first")
    for number in range(MAX_OPEN + 10):
        fields = {"meeting": {"id": "giao-ban"}} if flood == "join" else {}
        play.command(flood, id=f"f{number}", **fields)
    assert final(play, f"f{MAX_OPEN + 5}") == (AckState.REJECTED, Code.BUSY)
    assert len(play.room.answers.open) == MAX_OPEN
    play.command("mute", id="mute")
    assert play.states("mute")[0] is AckState.ACCEPTED
    play.command("leave", id="leave")
    assert play.states("leave")[0] is AckState.ACCEPTED


def test_restart_is_refused_in_a_meeting() -> None:
    play = Playbook()
    play.enter()
    play.command("restart", scope="host")
    assert final(play, "c2") == (AckState.REJECTED, Code.IN_MEETING)
    other = Playbook()
    assert do.EndDaemon("agent") in other.command("restart", scope="agent")
    assert other.states("c1")[-1] is AckState.RUNNING, (
        "it is answered by the agent that comes after"
    )


def test_a_repeated_id_is_answered_from_the_journal_and_not_run() -> None:
    play = Playbook()
    ping = Command("p1", "ping", Ping(), Origin.HUB)
    earlier = Ack("p1", "ping", "xa-a", AckState.SUCCEEDED, Code.OK, "pong", 3, START)
    effects = play.tell(CommandReceived(ping, Delivery(1, 1), earlier, known=True))
    assert kinds(effects)[:2] == [do.AcknowledgeDelivery, do.SendAck]
    assert effects[1] == do.SendAck(earlier, None, final=False)
    assert do.RecordCommand not in kinds(effects)


def test_a_repeat_of_a_command_under_way_gets_no_second_final() -> None:
    play = Playbook()
    play.join(id="j1")
    play.join(id="j1")
    play.light()
    play.flow()
    assert play.states("j1").count(AckState.SUCCEEDED) == 1
    assert len(play.all(do.StartMedia)) == 1


def test_expired_and_unjudgeable_commands() -> None:
    play = Playbook()
    play.command("ping", expires=START - timedelta(seconds=1))
    assert final(play, "c1") == (AckState.EXPIRED, Code.EXPIRED)
    play.synchronised = False
    play.command("ping", expires=START + timedelta(hours=1))
    assert final(play, "c2") == (AckState.REJECTED, Code.CLOCK_UNSYNCHRONISED)
    play.command("ping")
    assert final(play, "c3") == (AckState.SUCCEEDED, Code.OK)
    play.synchronised = True
    play.command("ping", expires=START + timedelta(hours=1))
    assert final(play, "c4") == (AckState.SUCCEEDED, Code.OK)


def test_the_sequence_of_a_commands_acks_rises() -> None:
    play = Playbook()
    join = play.enter()
    assert [(ack.state, ack.seq) for ack in play.acks(join)] == [
        (AckState.ACCEPTED, 1),
        (AckState.RUNNING, 2),
        (AckState.SUCCEEDED, 3),
    ]


def test_bad_input_is_acknowledged_and_answered_where_an_id_is_known() -> None:
    play = Playbook()
    effects = play.tell(
        CommandRefused("x1", "join", Code.MISSING_FIELD, "meeting: missing", Delivery(7, 1))
    )
    assert kinds(effects)[:2] == [do.AcknowledgeDelivery, do.SendAck]
    assert final(play, "x1") == (AckState.REJECTED, Code.MISSING_FIELD)
    effects = play.tell(CommandRefused(None, "join", Code.NOT_JSON, "not JSON", Delivery(8, 1)))
    assert do.SendAck not in kinds(effects)


def test_what_did_not_come_from_the_broker_is_not_acknowledged_to_it() -> None:
    play = Playbook()
    local = Command("l1", "ping", Ping(), Origin.LOCAL)
    for known, earlier in ((False, None), (True, None)):
        effects = play.tell(CommandReceived(local, None, known=known, earlier=earlier))
        assert do.AcknowledgeDelivery not in kinds(effects)
    effects = play.tell(CommandRefused("l2", "ping", Code.BAD_FIELD, "id: no"))
    assert do.AcknowledgeDelivery not in kinds(effects)
    assert [ack.seq for ack in play.acks("l2")] == [1]


def test_unknown_fields_are_warned_about() -> None:
    play = Playbook()
    ping = Command("p1", "ping", Ping(), Origin.HUB)
    play.tell(CommandReceived(ping, unknown_fields=["loud"]))
    assert play.acks("p1")[-1].detail.warnings == ["loud: unknown field, ignored"]


def test_a_malformed_message_does_not_get_another_word_for_an_id_that_has_one() -> None:
    play = Playbook()
    play.command("ping", id="p1")
    earlier = play.acks("p1")[-1]
    refused = CommandRefused("p1", "ping", Code.BAD_FIELD, "x: expected `int`", Delivery(9, 1))
    effects = play.tell(structs.replace(refused, known=True, earlier=earlier))
    assert [e.ack for e in effects if isinstance(e, do.SendAck)] == [earlier]
    assert not any(isinstance(e, do.SendAck) and e.final for e in effects)
    assert do.AcknowledgeDelivery(Delivery(9, 1)) in effects

    play.join(id="j1")  # is being worked on
    effects = play.tell(structs.replace(refused, id="j1", known=True))
    assert effects == [do.AcknowledgeDelivery(Delivery(9, 1))]
