"""Who had the floor is heard until everybody hears the next one: nothing is lost between two speakers.

Rooms make the new speaker's stream before they end the old one's (docs/contract.md, `play`); here the old one's
microphone waits for that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from agent.conductor.core.meeting import Meeting
from agent.conductor.core.rooms import Rooms
from agent.core.model.clock import Now

HANDOVER_SECONDS = 3.0
"""So long at the most: a room that does not answer must not keep two speakers on the air."""

OVERLAP_SECONDS = 0.5
"""After the last room has the new speaker's stream: its first words still wait in a jitter buffer."""


class HandingOver:
    """`later` says when to look again. Nothing of it is journalled: after a restart the old speaker is off at once."""

    def __init__(self, rooms: Rooms, later: Callable[[float, Meeting, str], None]) -> None:
        self._rooms = rooms
        self._later = later
        self._awaited: dict[int, set[str]] = {}
        """Meeting -> rooms that have yet to say that they play the new speaker."""
        self._due: dict[int, float] = {}
        """Meeting -> when (monotonic) its handover ends whatever happens."""

    def follow(
        self, meetings: dict[int, Meeting], touched: Iterable[tuple[int, str]], now: Now
    ) -> set[tuple[int, str]]:
        """Call after orders were given or answered; `touched` are their rooms, each with its meeting's number. Returns
        the rooms that were heard until now for the sake of a handover, and are to lose their microphones.
        """
        rooms: dict[int, list[str]] = {}
        for number, room in touched:
            if number in meetings and room in meetings[number].members:
                rooms.setdefault(number, []).append(room)
        return {
            (number, room)
            for number, known in rooms.items()
            for room in self._follow(meetings[number], known, now)
        }

    def _follow(self, meeting: Meeting, touched: list[str], now: Now) -> list[str]:
        parting, number = meeting.floor.parting, meeting.number
        if not parting:
            self._forget(number)
            return []
        if number not in self._due:
            self._awaited[number] = {one for one in meeting.members if self._waits(meeting, one)}
            seconds = HANDOVER_SECONDS if self._awaited[number] else OVERLAP_SECONDS
            self._end_at(meeting, now.monotonic_seconds + seconds)
        awaited = self._awaited[number]
        if awaited:
            awaited -= {one for one in touched if not self._waits(meeting, one)}
            if not awaited:
                self._end_at(
                    meeting, min(self._due[number], now.monotonic_seconds + OVERLAP_SECONDS)
                )
        if now.monotonic_seconds < self._due[number]:
            return []
        self._forget(number)
        gone = sorted(parting)
        parting.clear()
        return gone

    def _end_at(self, meeting: Meeting, due: float) -> None:
        self._due[meeting.number] = due
        for room in meeting.floor.parting:
            self._later(due, meeting, room)

    def _waits(self, meeting: Meeting, room: str) -> bool:
        """Whether this room was told whom to play, and has not said yet that it does."""
        slot = meeting.members[room].slots.get("presence")
        return slot is not None and slot.final is None and self._rooms[room].is_in(meeting.id)

    def _forget(self, number: int) -> None:
        self._awaited.pop(number, None)
        self._due.pop(number, None)
