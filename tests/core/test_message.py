"""A message on the screen, and the answer by one button."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs

from agent.core.model import effects as do
from agent.core.model.command_codec import CommandProblem
from agent.core.model.commands import AckState, Code, Command
from agent.core.model.events import LineChanged, MessageRecord, Restored
from agent.core.model.media import SetAnnouncement, SetMicrophone
from tests.core.playbook import PROFILE, Playbook

SCREEN = structs.replace(PROFILE, has_screen=True)
TWO = ["Có mặt", "Chưa đủ"]


def shown(id: str = "m", **fields: Any) -> Playbook:
    play = Playbook(SCREEN)
    play.command("show", **{"id": id, "text": "Điểm danh", **fields})
    return play


def press(play: Playbook, seconds: float = 0.1) -> None:
    play.tell(LineChanged("mute-button", True))
    play.wait(seconds)
    play.tell(LineChanged("mute-button", False))


def answers(play: Playbook) -> list[str]:
    events = [e.event for e in play.all(do.PublishEvent)]
    return [one.detail.answer for one in events if one.type == "show-answered"]


def test_it_is_shown_when_the_screen_has_it() -> None:
    play = shown()
    assert play.all(do.SwitchDisplay)[-1].on
    assert play.all(do.StartMedia)[-1].plan.announcement.text == "Điểm danh"
    assert play.states("m") == [AckState.ACCEPTED]
    play.applied("m")
    assert play.states("m")[-1] is AckState.SUCCEEDED


def test_a_screen_that_does_not_show_it_fails_it() -> None:
    play = shown()
    play.wait(16)
    assert play.acks("m")[-1].code is Code.DEVICE_FAILED
    assert play.all(do.InstructMedia)[-1].instruction == SetAnnouncement(None)


def test_a_press_is_the_first_answer_and_a_double_press_the_second() -> None:
    play = shown(answers=TWO)
    press(play)
    assert answers(play) == [], "a second press may come"
    play.wait(0.6)
    assert answers(play) == ["Có mặt"]
    play.command("show", id="n", text="Lại", answers=TWO)
    press(play)
    play.wait(0.2)
    press(play)
    assert answers(play) == ["Có mặt", "Chưa đủ"]
    play.wait(5)
    assert len(answers(play)) == 2


def test_with_one_answer_nobody_waits_for_a_second_press() -> None:
    play = shown(answers=["Đã rõ"])
    press(play)
    assert answers(play) == ["Đã rõ"]
    play.wait(0.6)
    press(play)
    assert play.events()[-1] == "mute-pressed", "it is gone"


def test_whoever_presses_on_after_an_answer_answers_nothing_else_and_mutes_nobody() -> None:
    play = shown(answers=["Đã rõ"])
    press(play)
    play.command("show", id="n", text="Lại", answers=["Có"])
    for _ in range(3):
        play.wait(0.2)
        press(play)
    assert answers(play) == ["Đã rõ"]
    assert "mute-pressed" not in play.events()
    play.wait(0.6)
    press(play)
    assert answers(play) == ["Đã rõ", "Có"]


def test_in_a_meeting_a_press_answers_and_a_long_one_mutes() -> None:
    play = Playbook(SCREEN)
    play.enter(microphone="live")
    play.command("show", id="m", text="Điểm danh", answers=TWO)
    press(play, 1.5)
    told = [e.instruction for e in play.all(do.InstructMedia)]
    assert [one.live for one in told if isinstance(one, SetMicrophone)] == [False]
    assert answers(play) == []
    press(play)
    play.wait(1)
    assert answers(play) == ["Có mặt"]


def test_without_answers_the_button_mutes_as_ever() -> None:
    play = Playbook(SCREEN)
    play.enter(microphone="live")
    play.command("show", text="Thông báo")
    press(play)
    assert play.events()[-1] == "mute-pressed"


def test_a_call_goes_before_a_message_which_comes_back_afterwards() -> None:
    play = shown(answers=TWO)
    play.applied("m")
    play.command("call", meeting={"id": "bao"}, then="nothing")
    assert play.all(do.InstructMedia)[-1].instruction.announcement.title == "bao"
    play.wait(31)
    assert play.all(do.InstructMedia)[-1].instruction.announcement.request == "m"


def test_hide_hides_that_one_only() -> None:
    play = shown()
    play.applied("m")
    play.command("hide", id="h1", show="another")
    assert play.acks("h1")[-1].code is Code.ALREADY
    play.command("hide", id="h2", show="m")
    assert play.acks("h2")[-1].code is Code.OK
    assert play.all(do.InstructMedia)[-1].instruction == SetAnnouncement(None)


def test_it_goes_after_its_time_and_the_display_with_it() -> None:
    play = shown(seconds=10)
    play.applied("m")
    play.wait(11)
    assert play.all(do.InstructMedia)[-1].instruction == SetAnnouncement(None)
    play.exit("")
    play.wait(60)
    assert not play.all(do.SwitchDisplay)[-1].on


def test_a_room_without_a_screen_refuses() -> None:
    play = Playbook()
    play.command("show", id="m", text="x")
    assert play.acks("m")[-1].code is Code.DEVICE_ABSENT


@pytest.mark.parametrize(
    "fields",
    [
        {"text": "x" * 10_000},
        {"text": "a\nb"},
        {"text": "a\x1b[2J"},
        {"text": "a\u202eb"},
        {"text": "  "},
        {"text": "x", "answers": ["a", "b", "c"]},
        {"text": "x", "answers": [""]},
        {"text": "x", "level": "loud"},
        {"text": "x", "seconds": 0},
    ],
)
def test_bad_fields_are_refused(fields: dict[str, Any]) -> None:
    with pytest.raises(CommandProblem) as refused:
        Playbook(SCREEN).command("show", **fields)
    assert refused.value.reason is Code.BAD_FIELD
    assert refused.value.text.isprintable()


@pytest.mark.parametrize(
    "answers",
    [["Có", "Có"], ["Có", " có "], ["Có", "Co\u0301"], ["Có  mặt", "Có mặt"]],
    ids=["same", "case", "decomposed", "spaces"],
)
def test_answers_that_read_the_same_are_refused_and_change_nothing(answers: list[str]) -> None:
    play = shown(answers=TWO)
    play.command("show", id="n", text="Lại", answers=answers)
    assert (play.acks("n")[-1].state, play.acks("n")[-1].code) == (
        AckState.REJECTED,
        Code.BAD_FIELD,
    )
    assert play.acks("n")[-1].text.startswith("answers: both read 'Có")
    assert play.room.taking_part.messages.asks == "m"


def restarted(record: MessageRecord | None, *unfinished: Command) -> Playbook:
    again = Playbook(SCREEN)
    again.tell(Restored(None, list(unfinished), cold=True, message=record))
    return again


def test_it_stands_there_again_after_a_restart_and_is_answered_once() -> None:
    play = shown(answers=TWO, seconds=100)
    record = play.all(do.RememberMessage)[-1].record
    command = play.all(do.RecordCommand)[-1].command
    again = restarted(record, command)
    assert again.all(do.StartMedia)[-1].plan.announcement.text == "Điểm danh"
    assert again.all(do.SwitchDisplay)[-1].on
    assert again.states("m") == [], "nobody knows yet"
    again.applied("m")
    assert again.states("m")[-1] is AckState.SUCCEEDED
    press(again)
    again.wait(1)
    assert answers(again) == ["Có mặt"]
    assert again.all(do.RememberMessage)[-1].record is None, "it has served"


@pytest.mark.parametrize("end", ["hide", "over", "answered"])
def test_what_is_gone_stays_gone_after_a_restart(end: str) -> None:
    play = shown(answers=["Đã rõ"], seconds=100)
    play.applied("m")
    match end:
        case "hide":
            play.command("hide", id="h")
        case "over":
            play.wait(101)
        case "answered":
            press(play)
    assert play.all(do.RememberMessage)[-1].record is None
    assert not restarted(None).all(do.StartMedia)


def test_its_time_goes_on_while_the_room_is_off() -> None:
    play = shown(seconds=100)
    record = play.all(do.RememberMessage)[-1].record
    late = structs.replace(record, until=record.until - timedelta(seconds=101))
    again = restarted(late)
    assert not again.all(do.StartMedia)
    assert again.all(do.RememberMessage)[-1].record is None
