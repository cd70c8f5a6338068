"""The conductor's state as operators are shown it."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from agent.conductor.core.day import Day
from agent.conductor.core.meeting import Meeting
from agent.conductor.core.member import Status
from agent.conductor.core.model.profile import Profile
from agent.conductor.core.model.views import DayView, MeetingView, RoomView, RosterRow, SpeakerView
from agent.conductor.core.rooms import Rooms

WORST_FIRST = (
    Status.FAILED,
    Status.STUCK,
    Status.SILENT,
    Status.AWAY,
    Status.ELSEWHERE,
    Status.CALLED,
    Status.ON_THE_WAY,
    Status.LEFT,
    Status.PRESENT,
)


class Views:
    """Made on demand; nothing is kept."""

    def __init__(
        self, profile: Profile, rooms: Rooms, meetings: dict[int, Meeting], day: Day
    ) -> None:
        self._profile = profile
        self._rooms = rooms
        self._meetings = meetings
        self._day = day

    def day(self, now: datetime) -> list[DayView]:
        """The agenda's meetings of the next 24 hours."""
        running = {one.id: one.number for one in self._meetings.values() if not one.over}
        return self._day.view(self._rooms, running, now)

    def room(self, room: str) -> RoomView:
        """One room, also one that never spoke."""
        return self._with_picture(self._rooms[room].view())

    def _with_picture(self, view: RoomView) -> RoomView:
        """With the address of its picture while it is in a meeting of ours."""
        running = any(one.id == view.meeting and not one.over for one in self._meetings.values())
        if not running or view.meeting is None:
            return view
        return replace(view, picture_url=self._profile.play_url(view.meeting, view.room))

    def rooms(self) -> list[RoomView]:
        """All of them, worst first."""
        return [self._with_picture(view) for view in self._rooms.views()]

    def meetings(self) -> list[MeetingView]:
        """Those that run, then those that are over and have a room left."""
        ordered = sorted(self._meetings.values(), key=lambda one: (one.over, -one.number))
        return [self.meeting(one) for one in ordered]

    def meeting(self, meeting: Meeting) -> MeetingView:
        """One of them, with the last 20 messages and the roster, worst first."""
        start, floor = meeting.start, meeting.floor
        rival = meeting.rival
        return MeetingView(
            number=meeting.number,
            id=meeting.id,
            title=start.title,
            mode=start.mode,
            chair=start.chair,
            started=meeting.started,
            started_by=meeting.started_by,
            until=meeting.until,
            ended=meeting.ended,
            recording=start.recording,
            speaking_seconds=start.speaking_seconds,
            holders=[
                SpeakerView(
                    room, self._rooms[room].name, since, floor.spoken_seconds.get(room, 0.0)
                )
                for room, since in floor.holders.items()
            ],
            queue=list(floor.queue),
            roster=self._roster(meeting),
            messages=meeting.messages[-20:],
            problem=f"run by the conductor {rival}, which was there before" if rival else "",
        )

    def _roster(self, meeting: Meeting) -> list[RosterRow]:
        rows = []
        for member in meeting.members.values():
            seen = self._rooms[member.room]
            status, text = member.status(seen, meeting.id)
            place, holds = meeting.floor.position(member.room), member.room in meeting.floor.holders
            rows.append(RosterRow(member.room, seen.name, status, text, member.calls, place, holds))
        return sorted(rows, key=lambda row: (WORST_FIRST.index(Status(row.status)), row.name))
