"""Who may speak, and who waits for it: the floor of one meeting.

The model is RFC 8855's: participants ask, the chair grants; the queue is in the order of arrival,
since rooms' clocks differ.
"""

from __future__ import annotations

from datetime import datetime

from agent.conductor.core.model.acts import Mode
from agent.conductor.core.refused import Refused

CAPACITY = {Mode.DISCUSSION: 0, Mode.ONE_BY_ONE: 1, Mode.CHAIR_GRANTS: 3}
"""Rooms that may speak beside the chair. At most four sources are played, the chair's among them."""


class Floor:
    """`holders` in the order in which they got it, with the time; `queue` the raised hands."""

    def __init__(self, mode: Mode) -> None:
        self._capacity = CAPACITY[mode]
        self.by_request = mode is not Mode.DISCUSSION
        self.holders: dict[str, datetime] = {}
        self.queue: list[str] = []
        self.spoken_seconds: dict[str, float] = {}
        """Of each room, until the last time it lost the floor."""
        self.parting: set[str] = set()
        """Who had to make room for another, and is heard until that one is (`agent.conductor.core.handing_over`)."""
        self.warned: set[str] = set()
        """Holders that were told that their time is over."""

    def check_give(self, room: str, chair: str | None) -> None:
        """Raises Refused if `give` can't be done."""
        self._check_request_mode()
        if room == chair:
            raise Refused("floor-open", f"{room} has the chair, and with it the floor")
        if room not in self.holders and 1 < self._capacity <= len(self.holders):
            text = f"{', '.join(self.holders)} have the floor: take it from one of them first"
            raise Refused("floor-full", text)

    def check_next(self, after: list[str] | None) -> None:
        """Raises Refused if `next` can't be done."""
        self._check_request_mode()
        if after is not None and set(after) != set(self.holders):
            who = ", ".join(self.holders) or "nobody"
            raise Refused("changed-meanwhile", f"{who} has the floor now: somebody else was faster")
        if not self.queue:
            raise Refused("queue-empty", "no hand is raised")

    def _check_request_mode(self) -> None:
        if not self.by_request:
            raise Refused("floor-open", "in a discussion the floor is open to all")

    def give(self, room: str, at: datetime) -> None:
        """The room speaks; who had it longest loses it where there is no room for both."""
        self.lower(room)
        self.parting.discard(room)
        if room in self.holders:
            return
        while len(self.holders) >= self._capacity:
            oldest = next(iter(self.holders))
            self.take(oldest, at)
            self.parting.add(oldest)
        self.holders[room] = at

    def take(self, room: str, at: datetime) -> None:
        """The room speaks no more; fine if it didn't."""
        since = self.holders.pop(room, None)
        self.warned.discard(room)
        self.parting.discard(room)
        if since is not None:
            seconds = max(0.0, (at - since).total_seconds())
            self.spoken_seconds[room] = self.spoken_seconds.get(room, 0.0) + seconds

    def take_all(self, at: datetime) -> None:
        """Nobody but the chair speaks, also nobody who is being relieved."""
        for room in list(self.holders):
            self.take(room, at)
        self.parting.clear()

    def raise_hand(self, room: str) -> None:
        """To the end of the queue; nothing for a room that waits or speaks already, or where the floor is open."""
        if self.by_request and room not in self.queue and room not in self.holders:
            self.queue.append(room)

    def lower(self, room: str) -> None:
        """Out of the queue; fine if it was not in it."""
        if room in self.queue:
            self.queue.remove(room)

    def position(self, room: str) -> int | None:
        """Its place in the queue, from 1."""
        return self.queue.index(room) + 1 if room in self.queue else None
