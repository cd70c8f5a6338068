"""What follows at once from an operator's act, beside what the meeting's new state makes of the rooms."""

from __future__ import annotations

from agent.conductor.core.meeting import Meeting
from agent.conductor.core.model.acts import Act, Call, Lower, Message, MuteAll, StartMeeting
from agent.conductor.core.model.orders import MuteOrder, ShowOrder
from agent.conductor.core.reconciling import Reconciler
from agent.conductor.core.rooms import Rooms
from agent.core.model.clock import Now


class Acting:
    """Orders that are given once, for an act that counts already."""

    def __init__(self, rooms: Rooms, reconciler: Reconciler) -> None:
        self._rooms = rooms
        self._reconciler = reconciler

    def follow_up(self, meeting: Meeting, act: Act, by: str, now: Now) -> None:
        """The act was applied to this meeting."""
        match act:
            case StartMeeting():
                self._gather(meeting)
            case MuteAll() if not meeting.floor.by_request:
                self._mute(meeting, now)
            case Call():
                self._ring(meeting, act, by, now)
            case Message():
                self._show(meeting, act, now)
            case Lower(room=room):
                self._ignore_hand(meeting, room)
        for room in meeting.floor.holders:
            self._ignore_hand(meeting, room)

    def _gather(self, meeting: Meeting) -> None:
        for room in self._rooms.in_groups(meeting.start.groups):
            meeting.add(room)

    def _mute(self, meeting: Meeting, now: Now) -> None:
        for room in meeting.members:
            if room != meeting.start.chair and self._rooms[room].is_in(meeting.id):
                self._reconciler.order(meeting, room, MuteOrder(), now)

    def _ring(self, meeting: Meeting, act: Call, by: str, now: Now) -> None:
        missing = [one for one in meeting.members if not self._rooms[one].is_in(meeting.id)]
        for room in act.rooms or missing:
            self._reconciler.ring(meeting, room, act, by, now)

    def _show(self, meeting: Meeting, act: Message, now: Now) -> None:
        order = ShowOrder(act.text, act.level, act.seconds, act.answers)
        for room in act.rooms or list(meeting.members):
            if self._rooms[room].online:
                self._reconciler.order(meeting, room, order, now, len(meeting.messages))

    def _ignore_hand(self, meeting: Meeting, room: str) -> None:
        """This hand was answered; only another one counts."""
        floor = self._rooms[room].floor
        meeting.members[room].hand_ignored = floor.hand_since if floor else None
