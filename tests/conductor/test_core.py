"""The conductor's meetings, as dialogues with rooms that obey, are silent, fall out and come back."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

import pytest

from agent.conductor.core.deciding import never_seen
from agent.conductor.core.minutes import minutes
from agent.conductor.core.minutes_pages import markdown
from agent.conductor.core.model.acts import (
    Call,
    End,
    Extend,
    Give,
    Lower,
    Message,
    Mode,
    MuteAll,
    Next,
    StartMeeting,
    Take,
)
from agent.conductor.core.model.entries import Entered, Ordered
from agent.conductor.core.model.events import LinkDown, LinkUp
from agent.conductor.core.model.orders import (
    CallOrder,
    FloorOrder,
    JoinOrder,
    LeaveOrder,
    MuteOrder,
    ShowOrder,
)
from agent.conductor.core.model.seen import (
    SeenAck,
    SeenConductor,
    SeenDetail,
    SeenDevice,
    SeenEvent,
    SeenFinding,
    SeenHealth,
    SeenMedia,
    SeenReadiness,
)
from agent.conductor.core.refused import Refused
from agent.core.model.commands import AckState
from agent.core.model.documents import Connection
from agent.locale import sayer
from tests.conductor.playbook import PROFILE, START, Playbook


def joins(play: Playbook, room: str) -> list[str]:
    return [id for id, _ in play.to(room, JoinOrder)]


def test_everybody_is_called_and_sees_the_chair() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    assert [play.status(room) for room in "abc"] == ["present"] * 3
    assert (play.plays("a"), play.plays("b"), play.plays("c")) == ([], ["a"], ["a"])
    assert play.pictures() == {"a": "full", "b": "small", "c": "small"}


def test_a_group_is_whoever_says_so_also_later() -> None:
    play = Playbook("a", "b", groups=("xa",))
    play.act(StartMeeting("hop", groups=["xa"], chair="a"))
    assert play.status("b") == "present"
    late = play.rooms["late"] = type(play.rooms["a"])("late", ["xa"])
    play.say("late")
    assert late.meeting == "hop"


def test_a_change_of_floor_is_joins_with_other_sources_and_a_floor() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    before = len(play.sent)
    play.raise_hand("c")
    assert play.view().queue == ["c"]
    assert play.plays("a") == ["c"], "the chair sees who is next"
    assert play.rooms["c"].position == 1
    play.act(Next("hop"))
    assert play.rooms["c"].held
    assert (play.plays("b"), play.plays("a"), play.plays("c")) == (["a", "c"], ["c"], ["a"])
    assert play.pictures()["c"] == "full"
    assert len(play.sent) - before <= 7, "a handful"
    play.act(Take("hop", "c"))
    assert not play.rooms["c"].held
    assert play.pictures()["c"] == "small"


def test_hands_queue_by_their_arrival_and_not_by_the_rooms_clocks() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    play.rooms["b"].hand = "2026-11-22T07:20:00Z"  # five minutes ahead
    play.say("b")
    play.rooms["c"].hand = "2026-11-22T07:10:00Z"
    play.say("c")
    assert play.view().queue == ["b", "c"]
    play.rooms["b"].hand = None
    play.say("b")
    assert play.view().queue == ["c"]


def test_one_by_one_the_next_takes_the_floor_from_the_one_before() -> None:
    play = Playbook("a", "b", "c")
    play.start("a", mode=Mode.ONE_BY_ONE)
    play.act(Give("hop", "b"))
    play.act(Give("hop", "c"))
    assert [one.room for one in play.view().holders] == ["c"]
    play.wait(0.6)
    assert not play.rooms["b"].held


def floors(play: Playbook, room: str) -> list[str]:
    return [order.state for _, order in play.to(room, FloorOrder)]


def test_the_old_speaker_is_on_until_everybody_hears_the_new_one() -> None:
    play = Playbook("a", "b", "c", "d")
    play.start(mode=Mode.ONE_BY_ONE)
    play.act(Give("hop", "b"))
    before = len(play.sent)
    play.act(Give("hop", "c"))
    assert floors(play, "b") == ["given"], "the first words are still on their way"
    play.wait(0.6)
    orders = [(one.room, one.order.__struct_config__.tag) for one in play.sent[before:]]
    assert orders.index(("b", "floor")) > max(orders.index((room, "join")) for room in "abcd")
    assert floors(play, "b") == ["given", "none"]
    assert [one.room for one in play.view().holders] == ["c"], "who has it is clear at once"


def test_a_room_that_says_nothing_keeps_two_speakers_on_for_three_seconds_only() -> None:
    play = Playbook("a", "b", "c", "d")
    play.start(mode=Mode.ONE_BY_ONE)
    play.act(Give("hop", "b"))
    play.rooms["d"].deaf = True
    play.act(Give("hop", "c"))
    play.wait(2.9)
    assert (floors(play, "b"), floors(play, "c")) == (["given"], ["given"])
    play.wait(0.2)
    assert floors(play, "b") == ["given", "none"]


@pytest.mark.parametrize("act", [Take("hop"), MuteAll("hop"), Give("hop", "b"), "death"])
def test_nobody_is_left_on_after_a_handover(act: object) -> None:
    play = Playbook("a", "b", "c", "d")
    play.start(mode=Mode.ONE_BY_ONE)
    play.act(Give("hop", "b"))
    play.rooms["d"].deaf = True
    play.act(Give("hop", "c"))
    if act == "death":
        play.die_and_return()
        play.wait(3)
    else:
        play.act(act)  # type: ignore[arg-type]
    holders = [one.room for one in play.view().holders]
    assert [room for room in "bc" if play.rooms[room].held] == holders or act == Give("hop", "b")
    play.wait(3.1)
    assert [room for room in "bc" if play.rooms[room].held] == holders


def test_the_chair_grants_three_at_the_most() -> None:
    play = Playbook(*"abcde")
    play.start("a")
    for room in "bcd":
        play.act(Give("hop", room))
    assert play.plays("e") == ["a", "b", "c", "d"]
    with pytest.raises(Refused, match="take it from one") as refused:
        play.act(Give("hop", "e"))
    assert refused.value.code == "floor-full"
    play.raise_hand("e")
    play.act(Next("hop"))
    assert [one.room for one in play.view().holders] == ["c", "d", "e"]


def test_two_operators_who_click_next_at_once_skip_nobody() -> None:
    play = Playbook("a", "b", "c")
    play.start("a", mode=Mode.ONE_BY_ONE)
    play.raise_hand("b")
    play.raise_hand("c")
    play.act(Next("hop", after=[]))
    with pytest.raises(Refused) as refused:
        play.act(Next("hop", after=[]))
    assert refused.value.code == "changed-meanwhile"
    assert play.view().queue == ["c"]


def test_a_discussion_plays_all_others_and_has_room_for_four() -> None:
    play = Playbook(*"abcd")
    play.start("a", mode=Mode.DISCUSSION)
    assert sorted(play.plays("d")) == ["a", "b", "c"]
    assert set(play.pictures().values()) == {"full"}
    play.act(MuteAll("hop"))
    assert [len(play.to(room, MuteOrder)) for room in "abcd"] == [0, 1, 1, 1]
    with pytest.raises(Refused, match="has room for 4"):
        Playbook(*"abcde").start("a", mode=Mode.DISCUSSION)


def test_a_hand_on_the_button_is_no_reason_to_join_anew() -> None:
    play = Playbook("a", "b")
    play.start("a", mode=Mode.DISCUSSION)
    before = len(play.sent)
    state = play.rooms["b"].state()
    import msgspec

    play.tell(msgspec.structs.replace(state, microphone="muted"))
    play.wait(300)
    assert len(play.sent) == before


def test_the_silent_are_called_again_after_5_15_45_seconds_then_each_minute() -> None:
    play = Playbook("a", "b")
    play.rooms["b"].deaf = True
    play.start("a")
    times = []
    for second in range(1, 200):
        before = len(joins(play, "b"))
        play.wait(1)
        times += [second] * (len(joins(play, "b")) - before)
    assert times == [5, 15, 45, 105, 165]
    assert len(set(joins(play, "b"))) == 1, "one order, one id"
    assert play.status("b") == "silent"
    play.rooms["b"].deaf = False
    play.wait(60)
    assert play.status("b") == "present"


def test_a_room_that_acks_and_does_nothing_is_found_and_called_anew() -> None:
    play = Playbook("a", "b")
    play.rooms["b"].idle = True
    play.start("a")
    play.wait(20)
    assert play.status("b") == "stuck"
    assert len(set(joins(play, "b"))) > 1, "its answer stands in its journal: only a new id helps"
    play.rooms["b"].idle = False
    play.wait(60)
    assert play.status("b") == "present"


def test_a_room_in_another_meeting_is_left_there_until_it_is_fetched() -> None:
    play = Playbook("a", "b")
    play.rooms["b"].meeting = "other"
    play.rooms["b"].deaf = True
    play.say("b")
    play.start("a")
    play.tell(SeenAck("b", joins(play, "b")[0], AckState.REJECTED, "in-meeting", "in other"))
    assert play.status("b") == "elsewhere"
    play.act(Call("hop", ["b"], replace=True))
    assert play.to("b", JoinOrder)[-1][1].replace
    assert play.to("b", CallOrder)[-1][1].replace


def test_who_fell_out_gets_a_moment_and_is_called_then() -> None:
    play = Playbook("a", "b")
    play.start("a")
    before = len(joins(play, "b"))
    play.rooms["b"].leave()
    play.say("b")
    assert len(joins(play, "b")) == before
    play.wait(5)
    assert len(joins(play, "b")) == before + 1
    assert play.status("b") == "present"


def test_who_was_away_is_called_at_its_return_to_what_holds_by_then() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    play.rooms["b"].connection = Connection.LOST
    play.say("b")
    assert play.status("b") == "away"
    before = len(joins(play, "b"))
    play.act(Give("hop", "c"))
    play.wait(600)
    assert len(joins(play, "b")) == before, "nothing piles up at the broker"
    play.rooms["b"].connection = Connection.ONLINE
    play.rooms["b"].leave()
    play.say("b")
    assert play.status("b") == "present"
    assert play.plays("b") == ["a", "c"]


def test_an_overtaken_will_means_nothing() -> None:
    play = Playbook("a", "b")
    play.start("a")
    import msgspec

    state = play.rooms["b"].state()
    play.tell(msgspec.structs.replace(state, session="s2"))
    play.tell(msgspec.structs.replace(state, session="s1", connection=Connection.LOST))
    assert play.status("b") == "present"


def test_the_stage_keeps_a_speaker_that_fell_out_for_a_minute() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    play.rooms["a"].connection = Connection.LOST
    play.say("a")
    play.wait(30)
    assert play.plays("b") == ["a"]
    play.wait(40)
    assert play.plays("b") == [], "a late comer's join would wait for it in vain"


def test_end_is_a_leave_for_all_and_for_the_absent_when_they_return() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    play.rooms["c"].connection = Connection.LOST
    play.say("c")
    play.act(End("hop"))
    assert [play.rooms[room].meeting for room in "ab"] == [None, None]
    play.die_and_return()
    assert play.rooms["c"].meeting == "hop"
    play.rooms["c"].connection = Connection.ONLINE
    play.say("c")
    play.wait(10)
    assert play.rooms["c"].meeting is None
    assert play.core.meetings == {}
    with pytest.raises(Refused):
        play.act(End("hop"))


def test_an_end_that_passes_is_the_end_and_can_be_put_off() -> None:
    play = Playbook("a", "b")
    play.start("a", until=START + timedelta(minutes=10))
    play.act(Extend("hop", START + timedelta(minutes=20)))
    assert play.rooms["b"].join is not None
    assert play.rooms["b"].join.until == START + timedelta(minutes=20)
    play.wait(12 * 60)
    assert play.rooms["b"].meeting == "hop"
    play.wait(10 * 60)
    assert play.rooms["b"].meeting is None


def test_a_restart_sends_nothing_to_rooms_that_do_what_they_shall() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    play.raise_hand("b")
    play.act(Next("hop"))
    before = len(play.sent)
    play.die_and_return()
    play.wait(4)
    assert play.sent[before:] == []
    assert [one.room for one in play.view().holders] == ["b"]


def test_a_restart_sends_the_same_ids() -> None:
    play = Playbook("a", "b")
    play.rooms["b"].deaf = True
    play.start("a")
    play.die_and_return()
    play.wait(4)
    assert len(joins(play, "b")) == 2
    assert len(set(joins(play, "b"))) == 1


def test_every_order_is_in_the_journal_before_it_goes() -> None:
    play = Playbook("a", "b")
    play.start("a")
    kept = {
        (one.what.room, one.what.revision) for one in play.journal if isinstance(one.what, Ordered)
    }
    assert {(one.room, int(one.id.rpartition("-")[2])) for one in play.sent} <= kept


def test_without_a_link_nobody_is_called_and_nothing_is_counted() -> None:
    play = Playbook("a", "b")
    play.rooms["b"].deaf = True
    play.start("a")
    play.tell(LinkDown("gone"))
    before = len(play.sent)
    play.wait(600)
    assert len(play.sent) == before
    play.rooms["b"].deaf = False
    play.tell(LinkUp(), *(room.state() for room in play.rooms.values()))
    play.wait(5)
    assert play.status("b") == "present"


def test_the_floor_is_put_right_after_a_room_restarted() -> None:
    play = Playbook("a", "b")
    play.start("a")
    play.act(Give("hop", "b"))
    play.wait(10)
    play.rooms["b"].held = False
    play.say("b")
    play.wait(5)
    assert play.rooms["b"].held


def test_a_room_gives_the_floor_back() -> None:
    play = Playbook("a", "b")
    play.start("a")
    play.act(Give("hop", "b"))
    play.event("b", "floor-returned")
    assert play.view().holders == []
    assert play.to("b", FloorOrder)[-1][1].state == "none"


def test_a_hand_that_was_lowered_by_the_operator_stays_so() -> None:
    play = Playbook("a", "b")
    play.start("a")
    play.raise_hand("b")
    play.act(Lower("hop", "b"))
    play.say("b")
    assert play.view().queue == []
    play.seconds += 1
    play.raise_hand("b")
    assert play.view().queue == ["b"]


def test_mute_all_takes_the_floor_from_all() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    play.act(Give("hop", "b"))
    play.act(Give("hop", "c"))
    play.act(MuteAll("hop"))
    assert play.view().holders == []
    assert not play.rooms["b"].held
    assert not play.rooms["c"].held


def test_a_speaker_is_told_once_that_the_time_is_over() -> None:
    play = Playbook("a", "b")
    play.start("a", speaking_seconds=60.0)
    play.act(Give("hop", "b"))
    play.wait(59)
    assert play.to("b", ShowOrder) == []
    play.wait(120)
    assert len(play.to("b", ShowOrder)) == 1


def test_a_roll_call_gathers_the_answers() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    play.act(Message("hop", "Có mặt?", answers=["có", "không"]))
    id = play.to("b", ShowOrder)[0][0]
    play.tell(SeenEvent("b", "show-answered", detail=SeenDetail(show=id, answer="có")))
    assert play.view().messages[0].answered == {"b": "có"}
    assert play.to("c", ShowOrder)[0][0] == id, "one id, so that an answer says to what"


def test_an_urgent_start_rings_and_a_call_rings_in_those_that_are_missing() -> None:
    play = Playbook("a", "b")
    play.rooms["b"].deaf = True
    play.start("a", urgent=True)
    assert [len(play.to(room, CallOrder)) for room in "ab"] == [1, 1]
    before = len(play.to("b", CallOrder))
    play.act(Call("hop", text="Bão số 5"))
    assert play.to("b", CallOrder)[before][1].text == "Bão số 5"
    assert len(play.to("a", CallOrder)) == 1


def test_the_second_conductor_refuses_and_of_two_the_later_gives_way() -> None:
    play = Playbook("a", "b")
    play.tell(SeenConductor("other", Connection.ONLINE, ["hop"], since=1.0))
    with pytest.raises(Refused) as refused:
        play.start("a")
    assert refused.value.code == "run-elsewhere"
    play.tell(SeenConductor("other", Connection.LOST, ["hop"], since=1.0))
    play.start("a")
    before = len(play.sent)
    earlier = SeenConductor("other", Connection.ONLINE, ["hop"], since=-1.0)
    play.tell(earlier)
    assert "other" in play.view().problem
    play.rooms["b"].leave()
    play.say("b")
    play.wait(60)
    assert len(play.sent) == before
    play.tell(SeenConductor("other", Connection.ONLINE, [], since=-1.0))
    play.wait(5)
    assert play.status("b") == "present"


@pytest.mark.parametrize(
    ("act", "code"),
    [
        (StartMeeting("hop", ["b"], chair="a"), "already-running"),
        (StartMeeting("x", ["a"], chair="a"), "room-taken"),
        (StartMeeting("x", [], groups=["nobody"], chair=None), "bad-meeting"),
        (StartMeeting("x", ["z"]), "bad-meeting"),
        (StartMeeting("x", ["z"], chair="z", until=START - timedelta(1)), "bad-meeting"),
        (Give("hop", "z"), "not-a-member"),
        (Give("hop", "a"), "floor-open"),
        (Next("hop"), "queue-empty"),
        (End("x"), "no-such-meeting"),
        (Extend("hop", START - timedelta(1)), "bad-meeting"),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(act: object, code: str) -> None:
    play = Playbook("a", "b")
    play.start("a")
    kept, sent = len(play.journal), len(play.sent)
    with pytest.raises(Refused) as refused:
        play.act(act)  # type: ignore[arg-type]
    assert refused.value.code == code
    assert (len(play.journal), len(play.sent)) == (kept, sent)


def test_who_starts_with_a_room_that_nobody_has_seen_is_told() -> None:
    """A typing error went unnoticed until somebody asked where the room was."""
    play = Playbook("xa-lung-cu", "xa-b", groups=("huyen",))
    rooms = play.core.rooms
    good = StartMeeting("hop", ["xa-b"], ["huyen"], "xa-lung-cu")
    assert never_seen(good, rooms) == ""
    assert never_seen(End("hop"), rooms) == ""
    bad = StartMeeting("hop", ["xa-b", "xa-lungcu"], ["huyen", "tinh"], "zz")
    assert never_seen(bad, rooms) == (
        "never seen at this hub: xa-lungcu (did you mean xa-lung-cu?), zz; no room is in the group tinh"
    )
    play.act(bad)  # from now on they are on its list, and still nobody has heard of them
    assert "zz" in never_seen(bad, rooms)


def test_minutes_are_in_the_readers_language() -> None:
    play = Playbook("a", "b")
    play.start("a")
    play.raise_hand("b")
    play.act(Next("hop"))
    play.act(MuteAll("hop"))
    play.act(Message("hop", "end"))  # somebody's words are nobody's to translate
    play.act(End("hop"))
    found = minutes([one for one in play.journal if one.what.number == 1])
    assert found is not None
    english = markdown(found, {}, sayer("en"))
    vietnamese = markdown(found, {"b": "Xã B"}, sayer("vi"))
    for text in ("## Present", "## Absent", "**Order**  mutes all rooms", "the chair grants"):
        assert text in english
    for text in ("## Có mặt", "## Vắng", "**Giơ tay** Xã B đã giơ tay", "**Tin nhắn**  end (ha)"):
        assert text in vietnamese
    words = set(re.findall(r"[a-z]{3,}", re.sub(r"\bhop\b|\bend\b", "", vietnamese.lower())))
    assert not words & set(re.findall(r"[a-z]{3,}", english.lower())) - {"hop"}


def test_the_minutes_have_no_gap_and_nothing_twice_over_twenty_deaths() -> None:
    play = Playbook("a", "b", "c")
    play.start("a")
    for number in range(20):
        play.wait(7)
        if number % 2:
            play.raise_hand("b")
            play.act(Next("hop"))
        else:
            play.act(Take("hop"))
        play.die_and_return()
    play.wait(5)
    play.act(End("hop"))
    found = minutes([one for one in play.journal if one.what.number == 1])
    assert found is not None
    assert [(span.room, span.end is not None) for span in found.presence] == [
        (room, True) for room in "abc"
    ]
    assert sum(isinstance(one.what, Entered) for one in play.journal) == 3
    assert len(found.floor) == 10
    assert all(span.begin < span.end for span in found.floor if span.end)
    assert found.absent == []


def test_tokens_are_renewed_at_half_of_their_life() -> None:
    import msgspec

    profile = msgspec.structs.replace(PROFILE, token_seconds=600.0)
    play = Playbook("a", "b", profile=profile)
    play.start("a")
    before = len(set(joins(play, "b")))
    play.wait(310)
    assert len(set(joins(play, "b"))) == before + 1
    play.die_and_return()
    play.wait(310)
    assert len(set(joins(play, "b"))) == before + 2


def test_leave_is_never_sent_to_a_room_in_another_meeting_of_ours() -> None:
    play = Playbook("a", "b")
    play.start("a")
    play.act(End("hop"))
    play.start("a", meeting="hai")
    assert [order.meeting for _, order in play.to("b", LeaveOrder)] == ["hop"]
    assert play.rooms["b"].meeting == "hai"


def test_a_room_whose_media_do_not_do_well_says_so_in_words() -> None:
    play = Playbook("a", "b")
    play.start()
    media = SeenMedia("degraded", "picture-given-up", "the link does not carry the picture")
    play.tell(SeenHealth("b", "degraded", media=media))
    view = play.core.views.room("b")
    assert (view.severity, view.faults) == (1, ["the link does not carry the picture"])


def test_a_room_that_a_check_found_not_ready_says_why() -> None:
    play = Playbook("a", "b")
    dark = SeenFinding("camera-black", "failed", "mean brightness 2 of 255")
    absent = SeenFinding("speaker-absent", "failed", "no card")
    sound = SeenFinding("microphone-ok", "ok", "-40 dBFS")
    devices = {"speaker": SeenDevice("absent", "absent", "Speaker: no card")}
    play.tell(
        SeenHealth("b", devices=devices, readiness=SeenReadiness("no-go", [dark, absent, sound]))
    )
    view = play.core.views.room("b")
    told = "the last check found camera-black: mean brightness 2 of 255"
    assert (view.severity, view.faults) == (2, ["Speaker: no card", told])
    play.tell(SeenHealth("b", readiness=SeenReadiness("unknown", [dark])))
    assert play.core.views.room("b").faults == [], "a check that is old is not believed"


def test_clocks_that_are_five_minutes_apart_change_nothing() -> None:
    play = Playbook("a", "b", "c")
    play.start(until=START + timedelta(minutes=30))
    play.rooms["b"].hand = (START - timedelta(minutes=5)).isoformat()
    play.rooms["c"].hand = (START + timedelta(minutes=5)).isoformat()
    play.say("c", "b")
    assert play.view().queue == ["c", "b"], "in the order of their arrival"
    play.act(Next("hop"))
    assert [one.room for one in play.view().holders] == ["c"]
    play.wait(29 * 60)
    assert play.status("b") == "present"


def test_half_the_rooms_lost_at_once_are_called_as_they_come_back() -> None:
    names = [f"xa-{number:02}" for number in range(20)]
    play = Playbook(*names)
    play.start()
    lost = names[10:]
    for name in lost:
        play.rooms[name].connection = Connection.LOST
        play.rooms[name].leave()
    play.say(*lost)
    sent = len(play.sent)
    play.wait(300)
    assert {play.status(name) for name in lost} == {"away"}
    assert not [one for one in play.sent[sent:] if one.room in lost], "nobody calls who is away"
    for name in lost:
        play.rooms[name].connection = Connection.ONLINE
        play.say(name)
    assert {play.status(name) for name in names} == {"present"}


def test_a_room_is_told_as_much_among_many_as_among_few() -> None:
    told = [orders_a_room(rooms) for rooms in (20, 200)]
    assert told[0] == told[1]


def orders_a_room(rooms: int) -> list[float]:
    """At the call, a change of floor and the end; the last is a hand's, in all."""
    names = [f"xa-{number:03}" for number in range(rooms)]
    play = Playbook(*names)
    sent = [0]
    for do in (
        play.start,
        lambda: play.act(Give("hop", names[1])),
        lambda: play.raise_hand(names[2]),
        lambda: play.act(End("hop")),
    ):
        do()
        sent.append(len(play.sent))
    call, floor, hand, end = (after - before for before, after in pairwise(sent))
    return [call / rooms, (floor - 1) / rooms, hand, end / rooms]


def test_who_speaks_too_long_for_the_second_time_is_told_anew() -> None:
    """A room answers an id that it knows from its journal, and shows nothing."""
    play = Playbook("a", "b")
    play.start("a", speaking_seconds=60.0)
    for _ in range(2):
        play.act(Give("hop", "b"))
        play.wait(61)
        play.act(Take("hop", "b"))
    ids = [id for id, _ in play.to("b", ShowOrder)]
    assert len(ids) == len(set(ids)) == 2


@pytest.mark.parametrize("asked", ["1", "x-show-1", "c1-7-show-1", "c1-1-call-1"])
def test_an_answer_to_somebody_elses_text_is_none_to_ours(asked: str) -> None:
    play = Playbook("a", "b")
    play.start("a")
    play.act(Message("hop", "Có mặt?", answers=["có", "không"]))
    play.tell(SeenEvent("b", "show-answered", detail=SeenDetail(show=asked, answer="có")))
    assert play.view().messages[0].answered == {}


def test_an_end_is_not_forgotten_when_the_clock_is_set_back() -> None:
    play = Playbook("a", "b")
    play.start("a", until=START + timedelta(minutes=10))
    play.wait(300)
    play.jumped = -timedelta(minutes=30)
    play.wait(600)
    assert play.view().ended is None
    play.wait(1800)
    assert play.core.running() == []
