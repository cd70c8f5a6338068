"""What goes wrong around a meeting, for its core: media servers, power, and rooms that go back in by themselves."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from agent.conductor.core.model.acts import Extend, Give, Mode, Next, Take
from agent.conductor.core.model.entries import Entered, Fell
from agent.conductor.core.model.orders import JoinOrder
from agent.conductor.core.refused import Refused
from agent.core.model.documents import Connection, Phase
from tests.conductor.playbook import START, Playbook

ROOMS = ("a", "b", "c", "d")


@pytest.fixture
def play() -> Playbook:
    """A meeting in which b has the floor."""
    play = Playbook(*ROOMS)
    play.start(mode=Mode.ONE_BY_ONE)
    play.act(Give("hop", "b"))
    play.wait(10)
    return play


def reconnecting(play: Playbook, *rooms: str) -> None:
    """Their media flow no more; they try again by themselves."""
    for room in rooms:
        state = play.rooms[room].state()
        play.tell(msgspec.structs.replace(state, phase=Phase.RECONNECTING))


def moves(play: Playbook) -> list[str]:
    return [one.what.room for one in play.journal if isinstance(one.what, Entered | Fell)]


def test_a_media_server_that_restarts_is_the_rooms_affair(play: Playbook) -> None:
    """They are in the meeting all the time: nobody is called, and nobody falls out of the minutes."""
    sent, moved = len(play.sent), moves(play)
    reconnecting(play, *ROOMS)
    play.wait(120)
    assert {play.status(room) for room in ROOMS} == {"present"}
    play.say(*ROOMS)
    play.wait(120)
    assert play.sent[sent:] == []
    assert moves(play) == moved
    assert play.rooms["b"].held


def test_the_floor_is_handed_over_also_while_the_media_server_is_away(play: Playbook) -> None:
    for room in play.rooms.values():
        room.deaf = True  # they answer a join when their links are back
    reconnecting(play, *ROOMS)
    play.act(Give("hop", "c"))
    play.wait(3.1)
    for room in play.rooms.values():
        room.deaf = False
    play.say(*ROOMS)
    play.wait(30)
    assert [room for room in ROOMS if play.rooms[room].held] == ["c"]
    assert play.plays("d") == ["a", "c"]
    assert {play.status(room) for room in ROOMS} == {"present"}


def test_after_a_power_cut_a_room_that_goes_back_by_itself_gets_what_holds_by_then(
    play: Playbook,
) -> None:
    """It knows the join of before the cut, and its floor."""
    gone = play.rooms["b"]
    gone.connection = Connection.LOST
    play.say("b")
    assert play.status("b") == "away"
    play.act(Give("hop", "c"))
    play.wait(40)
    gone.connection = Connection.ONLINE
    assert (gone.held, gone.meeting) == (True, "hop")
    play.say("b")
    play.wait(10)
    assert play.status("b") == "present"
    assert play.plays("b") == ["a", "c"]
    assert not gone.held, "another one has it by now"
    assert [room for room in ROOMS if play.rooms[room].held] == ["c"]


def test_a_speaker_whose_power_was_cut_speaks_again(play: Playbook) -> None:
    gone = play.rooms["b"]
    gone.connection = Connection.LOST
    play.say("b")
    play.wait(20)
    gone.connection, gone.held = Connection.ONLINE, False
    play.say("b")
    play.wait(10)
    assert gone.held
    assert play.plays("d") == ["a", "b"]


def test_half_the_rooms_lost_with_the_chair_among_them_are_all_back_in_their_places() -> None:
    names = [f"xa-{number:02}" for number in range(20)]
    play = Playbook(*names)
    play.start()
    play.act(Give("hop", names[1]))
    lost = names[:10]
    for name in lost:
        play.rooms[name].connection = Connection.LOST
    play.say(*lost)
    assert play.view().holders[0].room == names[1], "its place is kept"
    play.wait(600)
    for name in lost:
        play.rooms[name].connection = Connection.ONLINE
        play.rooms[name].leave()
    play.say(*lost)
    play.wait(10)
    assert {play.status(name) for name in names} == {"present"}
    assert play.plays(names[15]) == [names[0], names[1]]
    assert play.rooms[names[1]].held


def test_two_operators_who_act_at_once_get_one_floor_and_one_word_each(play: Playbook) -> None:
    play.raise_hand("c")
    play.raise_hand("d")
    seen = [one.room for one in play.view().holders]
    play.act(Next("hop", after=seen), "ha")
    with pytest.raises(Refused) as refused:
        play.act(Next("hop", after=seen), "tam")
    assert refused.value.code == "changed-meanwhile"
    play.act(Take("hop", "b"), "tam")  # what b had is taken already: fine
    play.act(Give("hop", "d"), "ha")
    play.act(Give("hop", "c"), "tam")
    play.wait(10)
    assert [room for room in ROOMS if play.rooms[room].held] == ["c"]
    assert [one.room for one in play.view().holders] == ["c"]


@pytest.mark.parametrize("minutes", [-5, 5])
def test_a_room_whose_clock_is_wrong_gets_the_same_end_as_all(play: Playbook, minutes: int) -> None:
    """Rooms' times are told by rooms; what the hub decides by is its own clock and the order of arrival."""
    until = START + timedelta(minutes=30)
    play.act(Extend("hop", until))
    wrong = START + timedelta(minutes=minutes)
    play.rooms["d"].hand = wrong.isoformat()
    play.say("d")
    play.rooms["c"].hand = START.isoformat()
    play.say("c")
    assert play.view().queue == ["d", "c"]
    assert {order.until for room in ROOMS for _, order in play.to(room, JoinOrder)[-1:]} == {until}
