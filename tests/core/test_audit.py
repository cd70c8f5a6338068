"""Every opening and closing of the camera and the microphone is an event that says who asked."""

from __future__ import annotations

from msgspec import structs

from agent.core.audit import left_open
from agent.core.model.commands import Command, Join, Meeting, Origin
from agent.core.model.documents import DeviceStatus, EventDetail, EventDocument, Status
from agent.core.model.effects import PublishEvent
from agent.core.model.events import CommandReceived, Restored
from agent.core.model.media import DeviceReported
from tests.core.playbook import Playbook


def audited(play: Playbook) -> list[EventDocument]:
    events = [effect.event for effect in play.all(PublishEvent)]
    return [event for event in events if event.type in ("device-opened", "device-closed")]


def summary(play: Playbook) -> list[tuple[str, str, str | None]]:
    return [(e.type, e.detail.device, e.detail.command) for e in audited(play)]


def close(play: Playbook, device: str) -> None:
    play.report(DeviceReported(device, False, DeviceStatus(Status.OK, "ok", "")))


def test_a_meeting_leaves_a_trace_of_both_devices() -> None:
    play = Playbook()
    join = play.enter()
    play.command("leave", id="leave-1")
    close(play, "microphone")
    close(play, "camera")
    play.exit("")
    assert summary(play) == [
        ("device-opened", "camera", join),
        ("device-opened", "microphone", join),
        ("device-closed", "microphone", "leave-1"),
        ("device-closed", "camera", "leave-1"),
    ]
    assert audited(play)[0].detail.asked_by == "hub"
    assert audited(play)[0].text == "Camera: open: meeting giao-ban"
    assert audited(play)[-1].text == "Camera: closed: left giao-ban"


def test_a_sender_that_somebody_vouches_for_is_named_in_acks_and_audit() -> None:
    play = Playbook()
    join = Join(meeting=Meeting("giao-ban"))
    play.tell(CommandReceived(Command("j", "join", join, Origin.GROUP, sender="user ha")))
    play.light()
    play.flow()
    assert play.states("j")[-1] == "succeeded"
    assert {ack.detail.asked_by for ack in play.acks("j")} == {"user ha"}
    assert {one.detail.asked_by for one in audited(play)} == {"user ha"}
    play.command("mute", id="m")
    assert {ack.detail.asked_by for ack in play.acks("m")} == {None}, "nobody vouches for it"


def test_who_comes_second_has_closed_nothing() -> None:
    play = Playbook()
    play.enter()
    play.command("leave", id="leave-1")
    play.command("leave", id="leave-2")
    play.command("join", id="join-2", meeting={"id": "hop"})
    close(play, "microphone")
    play.exit("")
    assert [e[2] for e in summary(play)[2:]] == ["leave-1", "leave-1"]
    assert audited(play)[-1].text == "Camera: closed: left giao-ban"


def test_what_still_opens_when_the_room_is_leaving_is_its_joins_doing() -> None:
    play = Playbook()
    play.join(id="join-1")
    play.command("leave", id="leave-1")
    play.opened("camera")
    play.exit("")
    assert summary(play) == [
        ("device-opened", "camera", "join-1"),
        ("device-closed", "camera", "leave-1"),
    ]
    assert audited(play)[0].text == "Camera: open: meeting giao-ban"


def test_a_killed_media_process_closes_what_it_had_open() -> None:
    play = Playbook()
    join = play.enter()
    play.exit("killed by SIGKILL")
    assert summary(play)[2:] == [
        ("device-closed", "camera", join),
        ("device-closed", "microphone", join),
    ]
    assert "killed by SIGKILL" in audited(play)[-1].text


def test_what_was_left_open_is_what_was_opened_last() -> None:
    play = Playbook()
    play.enter()
    newest_first = audited(play)[::-1]
    assert left_open(newest_first) == {"camera", "microphone"}
    close(play, "camera")
    fault = next(e.event for e in play.all(PublishEvent))
    other = structs.replace(fault, type="fault", detail=EventDetail(device="microphone"))
    assert left_open([other, *audited(play)[::-1]]) == {"microphone"}
    assert left_open([]) == set()


def test_the_loudspeaker_hears_nothing_and_is_not_audited() -> None:
    play = Playbook()
    play.join()
    play.opened("speaker")
    assert audited(play) == []


def test_what_a_killed_agent_left_open_is_told_closed_at_the_next_start() -> None:
    play = Playbook()
    play.tell(Restored(None, [], cold=False, left_open=frozenset({"camera"})))
    assert summary(play) == [("device-closed", "camera", None)]
    assert audited(play)[0].text == "Camera: closed: the agent's process ended"


def test_an_unplugged_microphone_is_not_closed_by_the_meeting() -> None:
    play = Playbook()
    play.enter()
    gone = DeviceStatus(Status.ABSENT, "absent", "Microphone: unplugged; check its cable")
    play.report(DeviceReported("microphone", False, gone))
    (event,) = [e.event for e in play.all(PublishEvent) if e.event.type == "device-closed"]
    assert event.text == "Microphone: closed: Microphone: unplugged; check its cable"
