"""One room's part in one meeting: what it was ordered, what came of it, and when to try again."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from agent.conductor.core.model.entries import Settled
from agent.conductor.core.model.orders import LeaveOrder, Order
from agent.conductor.core.rooms import SeenRoom
from agent.core.model.commands import AckState

RECALL_GAPS_SECONDS = (5.0, 10.0, 30.0)
"""Between the calls of a silent room: after 5, 15 and 45 s, then each minute."""

RECALL_GAP_SECONDS = 60.0
"""Between all later calls."""

JOINING_SECONDS = 40.0
"""After a room has accepted a join: by its own deadline it has failed after 30 s, so another one before is of no use."""

LATE_SECONDS = 5.0
"""After a room said that it has done an order: by then its state shows it, else the order is given anew."""


class Status(StrEnum):
    """Where a room is, in the roster's words."""

    PRESENT = "present"
    ON_THE_WAY = "on-the-way"
    CALLED = "called"
    """Called just now; no word yet."""
    SILENT = "silent"
    AWAY = "away"
    """It is not connected, and gets its call when it returns."""
    FAILED = "failed"
    ELSEWHERE = "elsewhere"
    STUCK = "stuck"
    """It says that it has joined, and hasn't."""
    LEFT = "left"


class Slot:
    """The last order of its kind to one room. `final` is the room's last word on it."""

    def __init__(self, revision: int, order: Order, ordered_at: datetime) -> None:
        self.revision = revision
        self.order = order
        self.ordered_at = ordered_at
        self.final: Settled | None = None
        self.accepted = False
        """Since it was sent last."""
        self.tries = 0
        """How often it was sent."""
        self.due_at = float("-inf")
        """When to look at it again, monotonic."""
        self.renewal_set = False
        """Whether somebody will look when its tokens are half as old as they may be."""

    @property
    def done(self) -> bool:
        return self.final is not None and self.final.state is AckState.SUCCEEDED


class Member:
    """A room of a meeting."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.slots: dict[str, Slot] = {}
        """presence (join or leave), floor, call, show, mute."""
        self.revision = 0
        self.entered = False
        self.ever_entered = False
        self.speaking = False
        self.calls = 0
        """How often it was called since it was in the meeting last."""
        self.floorless = False
        """Its version knows no floor: it is given none."""
        self.released = False
        self.hand_ignored: str | None = None
        """The hand (by its time) that was answered; only another one counts."""
        self.fell_at = float("-inf")
        """Monotonic: when it fell out last."""

    def gap_seconds(self) -> float:
        """Until the next call."""
        gaps = RECALL_GAPS_SECONDS
        return gaps[self.calls - 1] if 0 < self.calls <= len(gaps) else RECALL_GAP_SECONDS

    def status(self, seen: SeenRoom, meeting: str) -> tuple[Status, str]:
        """Where the room is, and the reason in words where there is one."""
        slot = self.slots.get("presence")
        final = slot.final if slot else None
        if seen.is_in(meeting):
            return Status.PRESENT, ""
        if seen.is_joining(meeting):
            return Status.ON_THE_WAY, ""
        if seen.away:
            return Status.AWAY, ""
        if isinstance(slot.order if slot else None, LeaveOrder):
            return Status.LEFT, ""
        if seen.meeting is not None and seen.meeting != meeting:
            return Status.ELSEWHERE, seen.meeting
        if final is not None and not slot_done(slot):
            return Status.FAILED, final.text or final.code
        if final is not None and self.calls > 1:
            return Status.STUCK, "it says that it has joined, and is not in the meeting"
        if slot is not None and slot.accepted:
            return Status.ON_THE_WAY, ""
        return (Status.SILENT, "") if self.calls > 1 else (Status.CALLED, "")


def slot_done(slot: Slot | None) -> bool:
    return slot is not None and slot.done


def slot_of(type: str) -> str:
    """The slot (`Member.slots`) of orders of this type."""
    return "presence" if type in ("join", "leave") else type
