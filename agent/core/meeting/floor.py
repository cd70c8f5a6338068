"""The floor of one meeting: everybody's, or his whose hand was seen.

Plain state without effects; `agent.core.meeting.floor_control` moves it.
"""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from agent.core.model.commands import FloorMode
from agent.core.model.documents import FloorState
from agent.core.model.events import FloorRecord


class MeetingFloor(Struct):
    """With the mode `request` nobody in the room is heard until the floor is `held`."""

    mode: FloorMode = "open"
    hand_since: datetime | None = None
    position: int | None = None
    """In the chair's queue, from 1; None where the hub told none."""
    held: bool = False

    @property
    def open(self) -> bool:
        """Whether the room may be heard, as far as the floor goes."""
        return self.mode == "open" or self.held

    @property
    def waits(self) -> bool:
        """Whether the room's hand is up."""
        return self.hand_since is not None

    @property
    def state(self) -> FloorState:
        """For the state document."""
        return FloorState(self.mode, self.hand_since, self.position, self.held)

    @property
    def shown(self) -> FloorState | None:
        """For the screen: nothing where everybody may speak."""
        return None if self.mode == "open" else self.state

    def raise_hand(self, at: datetime, position: int | None = None) -> None:
        """Wait for the floor; a hand that is up stays up since when it was raised."""
        self.hand_since = self.hand_since or at
        self.position, self.held = position, False

    def give(self) -> None:
        """The room has the floor; its hand is down again."""
        self.hand_since, self.position, self.held = None, None, True

    def drop(self) -> None:
        """No floor and no hand."""
        self.hand_since, self.position, self.held = None, None, False

    def record(self, meeting: str) -> FloorRecord | None:
        """What a restart must know; None: nothing."""
        if not (self.waits or self.held):
            return None
        return FloorRecord(meeting, self.hand_since, self.position, self.held)
