"""What comes in is cleaned and judged at the door: names for people, and times."""

from __future__ import annotations

from datetime import timedelta

import pytest

from agent.core.model.cleaning import clean
from agent.core.model.commands import Command, Join, Meeting, Origin, Reply, Source
from agent.core.model.effects import SendAck
from agent.core.model.events import CommandReceived
from tests.core.playbook import START, Playbook


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Giao ban buổi sáng", "Giao ban buổi sáng"),
        ("a\x1b]0;owned\x07b\u202ec", "a ]0;owned bc".replace("bc", "b c")),
        ("một\nhai\u2028ba\t bốn", "một hai ba bốn"),
        ("\u2066x\u2069\u200f", "x"),
        ("\x00\x9b", ""),
    ],
)
def test_nothing_that_a_terminal_obeys_is_left(text: str, shown: str) -> None:
    assert clean(text) == shown
    assert Meeting("m", text or None).title == (shown or None)
    assert Source("http://x/", None, text).label == (shown or None)


def code(play: Playbook, id: str) -> str:
    return str(play.acks(id)[-1].code)


def test_a_command_from_days_ahead_is_refused() -> None:
    """Its id would be forgotten before it expires, and then it could be repeated."""
    play = Playbook()
    issued = START + timedelta(days=5)
    play.command("ping", id="p", issued=issued.isoformat())
    assert code(play, "p") == "bad-field"
    play.command("ping", id="q", issued=(START + timedelta(minutes=5)).isoformat())
    assert code(play, "q") == "ok", "clocks are not the same everywhere"


def test_a_clock_that_is_not_set_judges_nothing() -> None:
    """Also one that runs ahead: it said expired of what had just been sent."""
    play = Playbook()
    play.synchronised = False
    play.clock_jumps(timedelta(days=3650))
    play.command("ping", id="p", expires=(START + timedelta(minutes=1)).isoformat())
    assert code(play, "p") == "clock-unsynchronised"


def test_who_asks_again_with_another_reply_address_hears_of_the_end_there() -> None:
    play = Playbook()
    first, second = Reply("reply/one", b"1"), Reply("reply/two", b"2")
    join = Join(meeting=Meeting("giao-ban"))
    for reply in (first, second, second):
        play.tell(CommandReceived(Command("j", "join", join, Origin.HUB, reply=reply)))
    play.light()
    play.flow()
    final = [effect.reply for effect in play.all(SendAck) if effect.ack.state == "succeeded"]
    assert final == [first, second]
