"""After a restart nobody is heard by an order of before that the broker had kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from agent.core.model import effects as do
from agent.core.model.commands import AckState, Code
from agent.core.model.events import FloorRecord, LinkChanged, Restored
from tests.core.playbook import START, Playbook

BEFORE, SINCE = START - timedelta(minutes=2), START + timedelta(seconds=5)
ORDERS: list[tuple[str, dict[str, Any]]] = [
    ("unmute", {}),
    ("floor", {"state": "given"}),
    ("join", {"meeting": {"id": "giao-ban"}, "microphone": "live"}),
]


def back(floor: str = "open") -> Playbook:
    """In its meeting again after a power cut, muted, with the link to the hub just up."""
    first = Playbook()
    first.enter(microphone="live", floor=floor)
    record = first.all(do.RememberMeeting)[-1].record
    play = Playbook()
    hand = FloorRecord("giao-ban", START, None, False) if floor == "request" else None
    play.tell(Restored(record, [], cold=True, floor=hand))
    play.light()
    play.flow()
    assert play.state.microphone == "muted"
    play.tell(LinkChanged(up=True, session="s1"))
    return play


@pytest.mark.parametrize(("kind", "fields"), ORDERS, ids=[kind for kind, _ in ORDERS])
def test_what_was_ordered_before_the_restart_lets_nobody_be_heard(
    kind: str, fields: dict[str, Any]
) -> None:
    play = back("request" if kind == "floor" else "open")
    play.command(kind, id="old", issued=BEFORE, **fields)
    assert not play.room.microphone.live
    expected = AckState.SUCCEEDED if kind == "join" else AckState.FAILED
    assert play.states("old")[-1] is expected
    if kind != "join":
        assert play.acks("old")[-1].code is Code.INTERRUPTED
        assert "again" in play.acks("old")[-1].text


@pytest.mark.parametrize(("kind", "fields"), ORDERS, ids=[kind for kind, _ in ORDERS])
@pytest.mark.parametrize("issued", [SINCE, None], ids=["since", "unknown"])
def test_what_was_ordered_since_is_obeyed(kind: str, fields: dict[str, Any], issued: Any) -> None:
    play = back("request" if kind == "floor" else "open")
    play.wait(20)
    stamp = {"issued": issued} if issued else {}
    play.command(kind, id="new", **stamp, **fields)
    assert play.room.microphone.live


def test_a_hub_whose_clock_is_behind_is_not_refused_for_long() -> None:
    play = back()
    play.wait(31)
    play.command("unmute", id="u", issued=BEFORE)
    assert play.room.microphone.live


def test_a_lost_link_is_no_restart() -> None:
    play = Playbook()
    play.tell(LinkChanged(up=True, session="s1"))
    play.enter()
    play.tell(LinkChanged(up=False))
    play.tell(LinkChanged(up=True, session="s2"))
    play.command("unmute", id="u", issued=BEFORE)
    assert play.room.microphone.live


def test_all_else_that_was_kept_is_obeyed() -> None:
    play = back()
    play.command("call", id="c", issued=BEFORE, meeting={"id": "bao"})
    play.command("volume", id="v", issued=BEFORE, speaker=20)
    assert play.states("c")[-1] is AckState.RUNNING
    assert play.room.microphone.volume == 20
