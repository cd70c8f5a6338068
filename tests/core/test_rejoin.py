"""A repeated join of the meeting that the room is in: what it names becomes true, and is said when it is."""

from __future__ import annotations

from typing import Any

import pytest

from agent.core.model.commands import Endpoint, Source
from agent.core.model.documents import Phase
from agent.core.model.effects import InstructMedia, StartMedia
from agent.core.model.media import (
    DownlinkReported,
    SetCamera,
    SetMicrophone,
    SetPicture,
    SetPublish,
    SetRecording,
    SetSources,
    UplinkReported,
)
from tests.core.playbook import SERVER, Playbook

NEW = SERVER + "/elsewhere/whip"


@pytest.fixture
def play() -> Playbook:
    play = Playbook()
    play.enter(microphone="muted")
    return play


def again(room: Playbook, /, **fields: Any) -> list[Any]:
    """The instructions that another join of the same meeting gives."""
    effects = room.join(id="again", **fields)
    return [effect.instruction for effect in effects if isinstance(effect, InstructMedia)]


def last(play: Playbook) -> tuple[str, str]:
    ack = play.acks("again")[-1]
    return str(ack.state), str(ack.code)


def test_the_same_again_is_true_already(play: Playbook) -> None:
    assert again(play) == []
    assert last(play) == ("succeeded", "already")


def test_the_camera_is_closed_and_said_when_it_is(play: Playbook) -> None:
    assert again(play, camera="off") == [SetCamera(False, "again/camera")]
    assert last(play)[0] != "succeeded"
    play.applied("again/camera")
    assert last(play) == ("succeeded", "ok")


def test_the_microphone_follows_and_a_mute_is_true_before_it_is_said(play: Playbook) -> None:
    assert again(play, microphone="live") == [SetMicrophone(True, "again/microphone")]
    play.applied("again/microphone")
    assert last(play) == ("succeeded", "ok")
    play.join(id="third", microphone="muted")
    assert play.states("third")[-1] != "succeeded"
    play.applied("third/microphone")
    assert play.states("third")[-1] == "succeeded"
    assert not play.room.microphone.live


def test_what_is_left_out_stays_as_it_is(play: Playbook) -> None:
    again(play, microphone="live")
    play.applied("again/microphone")
    effects = play.join(id="third", until="2026-11-22T09:00:00Z")
    assert [e for e in effects if isinstance(e, InstructMedia)] == []
    assert play.room.microphone.live, "an end that is moved mutes nobody"


def test_the_hand_s_mute_is_stronger(play: Playbook) -> None:
    play.room.microphone.muted_by_hand = True
    assert again(play, microphone="live") == []
    assert not play.room.microphone.live


def test_recording(play: Playbook) -> None:
    assert again(play, recording="on") == [SetRecording(True, "again/recording")]
    play.applied("again/recording")
    assert last(play) == ("succeeded", "ok")


def test_another_title_is_another_title(play: Playbook) -> None:
    play.command("join", id="again", meeting={"id": "giao-ban", "title": "Giao ban"})
    assert last(play) == ("succeeded", "ok")
    assert play.state.meeting.title == "Giao ban"


def test_another_source_is_said_when_it_is_decoded_and_is_no_reconnection(play: Playbook) -> None:
    source = {"url": SERVER + "/other/whep"}
    assert again(play, play=[source]) == [SetSources([Source(source["url"])])]
    assert last(play)[0] != "succeeded"
    assert play.phase is Phase.IN_MEETING
    play.report(DownlinkReported(source["url"], "flowing"))
    assert last(play) == ("succeeded", "ok")
    assert not {"reconnecting", "reconnected"} & set(play.events())


def test_a_source_that_never_comes_fails_in_time_and_then_the_link_is_lost(play: Playbook) -> None:
    again(play, play=[{"url": SERVER + "/other/whep"}], timeout_seconds=5)
    play.wait(6)
    assert last(play) == ("failed", "no-picture-or-sound")
    assert play.phase is Phase.RECONNECTING


def test_publishing_elsewhere_is_made_before_it_is_broken(play: Playbook) -> None:
    assert again(play, publish={"url": NEW}) == [SetPublish(Endpoint(NEW))]
    play.report(UplinkReported("stalled"))  # of the old one, which does not count any more
    assert play.phase is Phase.IN_MEETING
    play.report(UplinkReported("flowing", url=NEW))
    assert last(play) == ("succeeded", "ok")
    assert "reconnecting" not in play.events()


def test_the_picture_s_size_changes_in_the_session_and_is_said_when_it_is_so(
    play: Playbook,
) -> None:
    assert play.state.picture == "full"
    assert again(play, publish={"picture": "small"}) == [SetPicture("small", "again/picture")]
    assert last(play)[0] != "succeeded"
    assert play.state.picture == "full"
    play.applied("again/picture")
    assert last(play) == ("succeeded", "ok")
    assert play.state.picture == "small"
    play.join(id="same", publish={"picture": "small"})
    assert play.acks("same")[-1].code == "already"
    play.exit()
    play.wait(5)
    assert play.all(StartMedia)[-1].plan.picture == "small", "the next process knows"


def test_of_two_sizes_the_last_counts(play: Playbook) -> None:
    again(play, publish={"picture": "small"})
    play.join(id="third", publish={"picture": "off"})
    play.applied("again/picture")
    assert play.state.picture == "full"
    play.applied("third/picture")
    assert play.state.picture == "off"
    assert {play.states("again")[-1], play.states("third")[-1]} == {"succeeded"}


def test_a_room_that_moves_keeps_its_size(play: Playbook) -> None:
    again(play, publish={"picture": "small"})
    play.applied("again/picture")
    moved = play.join(id="third", publish={"url": NEW, "token": "fresh"})
    assert [e.instruction for e in moved if isinstance(e, InstructMedia)] == [
        SetPublish(Endpoint(NEW, "fresh"))
    ]
    play.report(UplinkReported("flowing", url=NEW))
    assert play.state.picture == "small"


def test_another_token_for_the_same_address_is_no_new_session(play: Playbook) -> None:
    place = SERVER + "/giao-ban-xa-a/whip"
    renewed = Endpoint(place, "fresh")
    assert again(play, publish={"url": place, "token": "fresh"}) == [SetPublish(renewed)]
    assert last(play)[0] == "succeeded", "there is nothing to wait for"
    assert play.room.lifecycle.membership.publish == renewed


def test_a_new_place_that_refuses_leaves_the_room_where_it_is(play: Playbook) -> None:
    again(play, publish={"url": NEW})
    effects = play.report(UplinkReported("refused", "403", url=NEW))
    assert last(play) == ("failed", "uplink-refused")
    old = Endpoint(SERVER + "/giao-ban-xa-a/whip")
    assert SetPublish(old) in [e.instruction for e in effects if isinstance(e, InstructMedia)]
    assert play.phase is Phase.IN_MEETING


def test_not_to_publish_closes_the_devices(play: Playbook) -> None:
    play.join(id="again", publish=None)
    assert play.phase is Phase.LEAVING
    play.exit("")
    assert play.all(StartMedia)[-1].plan.publish is None
    assert play.phase is Phase.JOINING
    play.report(DownlinkReported(SERVER + "/giao-ban/whep", "flowing"))
    assert last(play) == ("succeeded", "ok")
    assert play.room.lifecycle.membership.publish is None


def test_while_reconnecting_it_waits_until_the_room_is_in(play: Playbook) -> None:
    play.report(UplinkReported("stalled", "nothing comes back"))
    assert play.phase is Phase.RECONNECTING
    again(play)
    assert last(play)[0] == "running"
    play.report(UplinkReported("flowing"))
    assert last(play) == ("succeeded", "ok")


def test_a_media_process_that_dies_meanwhile_takes_it_over(play: Playbook) -> None:
    again(play, camera="off")
    play.exit()
    play.wait(5)
    assert play.all(StartMedia)[-1].plan.camera_live is False
    play.flow()
    assert last(play) == ("succeeded", "ok")


def test_hours_of_failing_media_processes_do_not_end_the_daemon() -> None:
    play = Playbook()
    play.enter()
    for _ in range(1200):
        play.exit()
        play.wait(60)
    assert play.phase is Phase.RECONNECTING


@pytest.mark.parametrize(("silent", "seconds"), [("b", 1), ("c", 3)])
def test_a_new_source_is_waited_for_as_long_as_the_old_one_plays_on(
    silent: str, seconds: float
) -> None:
    """Nobody is to take the floor from the old speaker by an ack that came before the new one's sound."""
    play = Playbook()
    play.enter(play=[{"url": f"{SERVER}/{name}"} for name in "ab"])
    play.report(DownlinkReported(f"{SERVER}/b", "stalled"))
    again(play, play=[{"url": f"{SERVER}/{name}"} for name in ("a", silent)], camera="off")
    play.applied("again/camera")
    play.wait(seconds - 0.1)
    assert last(play)[0] != "succeeded"
    play.wait(0.2)
    assert last(play)[0] == "succeeded"
    assert play.acks("again")[-1].detail.silent_sources is not None


def test_each_has_its_own_time_however_often_another_one_comes(play: Playbook) -> None:
    """A program that asked again every twenty seconds kept all of them waiting for ever."""
    play.report(UplinkReported("stalled", "gone"))
    for number in range(4):
        play.join(id=f"again-{number}", timeout_seconds=30)
        play.wait(20)
    assert [play.states(f"again-{number}")[-1] for number in range(4)] == [
        "failed",
        "failed",
        "failed",
        "running",
    ]
    assert play.phase is Phase.RECONNECTING
    play.wait(11)
    assert play.states("again-3")[-1] == "failed"
