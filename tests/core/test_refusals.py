"""What was refused is told once a minute at the most, and counted."""

from __future__ import annotations

import pytest

from agent.core.model import effects as do
from agent.core.model.commands import Code
from agent.core.model.documents import EventDocument
from agent.core.model.effects import Effect
from agent.core.model.events import CommandRefused, Delivery
from tests.core.playbook import Playbook


def refused(code: Code = Code.NOT_JSON, id: str | None = None) -> CommandRefused:
    return CommandRefused(id, "join", code, "what is wrong", Delivery(1, 1))


def told(effects: list[Effect]) -> list[EventDocument]:
    found = [effect.event for effect in effects if isinstance(effect, do.PublishEvent)]
    return [event for event in found if event.type == "command-refused"]


def test_the_first_is_told_at_once_and_the_rest_of_the_minute_together() -> None:
    play = Playbook()
    (first,) = told(play.tell(refused()))
    assert (first.code, first.text, first.detail.count) == ("not-json", "what is wrong", 1)
    assert [told(play.tell(refused())) for _ in range(999)] == [[]] * 999
    (rest,) = told(play.wait(61))
    assert rest.detail.count == 999
    assert told(play.wait(600)) == []
    assert len(told(play.tell(refused()))) == 1, "a new minute"


def test_what_has_an_ack_is_not_told_twice() -> None:
    play = Playbook()
    effects = play.tell(refused(Code.BAD_FIELD, id="c1"))
    assert told(effects) == []
    assert [one.ack.state for one in effects if isinstance(one, do.SendAck)] == ["rejected"]


@pytest.mark.parametrize("code", [Code.UNSIGNED, Code.BAD_SIGNATURE, Code.NOT_PERMITTED])
def test_an_attempt_is_told_even_if_it_has_an_ack(code: Code) -> None:
    (event,) = told(Playbook().tell(refused(code, id="c1")))
    assert event.detail.command == "c1"
