"""What comes in is cleaned and judged at the door: names for people, and times."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs, to_builtins

from agent.core.model.cleaning import clean
from agent.core.model.commands import Code, Command, Join, Meeting, Origin, Reply, Source
from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import CheckFinding, DeviceStatus, Status
from agent.core.model.effects import PublishEvent, SendAck
from agent.core.model.events import (
    CheckEnded,
    CommandReceived,
    CommandRefused,
    DevicesProbed,
    HostSampled,
    LampSet,
)
from agent.core.model.media import Applied, DeviceReported, UplinkReported
from agent.core.model.room_status import HubLinkStatus
from tests.core.playbook import HOST, SERVER, START, Playbook


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


EVIL = "a\x1b]0;owned\x07b\u202ec\rd\ne"


def test_what_others_say_is_harmless_wherever_it_is_shown() -> None:
    """A media server's words, a device's own name, a topic, a field, a URL: each came through to somebody's terminal."""
    play = Playbook()
    play.join(
        id="j1", timeout_seconds=5, play=[{"url": SERVER + "/x\u202e\x9b2J/whep"}], **{EVIL: 1}
    )
    detail = DeviceDetail(monitor=EVIL, holders={"17": EVIL})
    status = DeviceStatus(Status.FAILED, "failed", EVIL, detail=detail)
    play.report(DeviceReported("camera", False, status))
    play.report(UplinkReported("refused", EVIL))
    play.report(Applied("j1", EVIL))
    play.tell(CommandRefused("r1", EVIL, Code.UNKNOWN_COMMAND, EVIL, None, None))
    play.tell(LampSet(EVIL))
    finding = CheckFinding("camera", "camera-black", "failed", EVIL)
    play.room.health.last_check.ended(CheckEnded(1, [finding]), {}, play.now)
    play.tell(DevicesProbed({}))
    play.tell(HostSampled(structs.replace(HOST, text=EVIL, model=EVIL)))
    play.wait(10)
    play.exit(EVIL)
    play.wait(10)
    health = play.room.health.document(play.phase, play.room.lifecycle.membership, play.now)
    status_line = HubLinkStatus(False, "x", EVIL)
    told = [effect for effect in play.effects if isinstance(effect, SendAck | PublishEvent)]
    shown = [*_texts(to_builtins(told)), *_texts(to_builtins([health, status_line, play.state]))]
    assert any("owned" in text for text in shown)
    assert [text for text in shown if not text.isprintable()] == []


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


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
