"""Whatever happens, in whatever order, and wherever a crash cuts it off: the promises hold.

Each command has exactly one final word, nothing hangs, no media process without the lamp, and what the state
says of the microphone is true.
"""

from __future__ import annotations

import os

import pytest

from agent.core.meeting.lifecycle import HELD
from agent.core.model.deadlines import (
    InstructionLate,
    JoinAgain,
    JoinLate,
    MediaStartDue,
    MeetingEndDue,
)
from agent.core.model.documents import Phase
from agent.core.model.media import MeetingPlan
from tests.core.lives import Life

LIVES = int(os.environ.get("DIEMCAU_LIVES", "80"))
"""DIEMCAU_LIVES=5000 is the long form, for a night."""

STEPS = 400
GROUP = 20


@pytest.mark.parametrize("first", range(0, LIVES, GROUP))
def test_the_promises_hold_all_life_long(first: int) -> None:
    for seed in range(first, first + GROUP):
        life = Life(seed)
        try:
            for _ in range(STEPS):
                life.step()
                look_at(life)
            life.settle()
            given = {f"c{n}" for n in range(1, life.given + 1)}
            look_at_disk(life)
            assert given - life.disk.results - life.published.keys() - life.disk.lost == set(), (
                "never answered"
            )
        except AssertionError as error:
            raise AssertionError(f"life {seed}: {error}") from error


def look_at(life: Life) -> None:
    """Everything that must be so at any moment."""
    process, lifecycle = life.media_process, life.room.lifecycle
    in_meeting = process is not None and isinstance(process.plan, MeetingPlan)
    assert life.lamp != "off" or not in_meeting, "open, but the lamp is off"
    assert life.lamp in ("off", "called", "blink") or lifecycle.membership or life.checking, (
        "the lamp is on, but nothing is open"
    )
    if process is not None and process.live and process.microphone_open:
        assert life.room.state(life.now).microphone == "live", "heard, but the state says it isn't"
        shut = life.room.microphone.gated or life.room.microphone.muted_by_hand
        confirming = any(isinstance(one, InstructionLate) for one in life.deadlines)
        assert not shut or confirming or process.stopping, (
            "heard without the floor or against the hand"
        )
    floor = life.room.state(life.now).floor
    if process is not None and process.told_live and floor is not None and floor.mode == "request":
        assert floor.held, "told to be live without the floor"
    for id, acks in life.published.items():
        assert id in life.disk.lost or len({(ack.state, ack.code, ack.at) for ack in acks}) == 1, (
            "two final words"
        )
    if not (life.ended or life.room.ending.under_way):
        look_at_phase(life, in_meeting)


def look_at_disk(life: Life) -> None:
    """With room on it again, it has what the next start goes by."""
    assert life.disk.meeting() == life.meeting, "the next start goes into another meeting"
    muted = life.room.microphone.muted_by_hand
    assert (life.disk.recall("muted_by_hand") == "yes") == muted, "the next start forgets the hand"


def look_at_phase(life: Life, in_meeting: bool) -> None:
    """No phase that nothing would ever end, and the journal knows which meeting."""
    lifecycle, deadlines = life.room.lifecycle, life.deadlines
    remembered = life.meeting.command.body.meeting.id if life.meeting else None
    assert remembered == (
        lifecycle.membership.id
        if lifecycle.membership and lifecycle.held
        else lifecycle.departure.next_meeting or lifecycle.retry.meeting
    )
    assert lifecycle.retry.waiting is None or JoinAgain() in deadlines, "never tried again"
    if lifecycle.phase in HELD:
        assert life.media_process or MediaStartDue() in deadlines, (
            "no media process, and none to come"
        )
        assert lifecycle.phase is not Phase.JOINING or JoinLate() in deadlines
        assert lifecycle.window.until is None or MeetingEndDue() in deadlines
    elif lifecycle.phase in (Phase.LEAVING, Phase.FAULT):
        assert life.media_process, "nobody is left to leave"
    else:
        assert not in_meeting, "open in standby"
