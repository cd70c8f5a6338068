"""What a room shall do in a meeting: the orders that follow from the meeting's state, and nothing else.

Everybody sees the chair and who has the floor; the chair sees who is next, too; who only listens
sends a thumbnail. A room decodes four sources at the most.
"""

from __future__ import annotations

from msgspec import structs

from agent.conductor.core.meeting import Meeting
from agent.conductor.core.model.orders import (
    CallOrder,
    FloorOrder,
    JoinOrder,
    LeaveOrder,
    Order,
    Publish,
)
from agent.conductor.core.model.profile import Profile
from agent.conductor.core.rooms import Rooms
from agent.core.model import commands
from agent.core.model.commands import MAX_SOURCES, Source


def presence(meeting: Meeting, room: str, rooms: Rooms, profile: Profile) -> JoinOrder | LeaveOrder:
    """Where the room shall be: in the meeting, like this, or not any more."""
    if meeting.over:
        return LeaveOrder(meeting.id)
    start = meeting.start
    open_floor = not meeting.floor.by_request or room == start.chair
    on_stage, seen = meeting.heard(room), rooms[room]
    return JoinOrder(
        meeting=commands.Meeting(meeting.id, start.title),
        publish=Publish(
            profile.publish_url(meeting.id, room), picture="full" if on_stage else "small"
        ),
        play=[
            Source(profile.play_url(meeting.id, one), label=rooms[one].name[:80])
            for one in sources(meeting, room, rooms)
        ],
        microphone="muted" if open_floor and seen.is_in(meeting.id) and not seen.live else "live",
        until=meeting.until,
        recording=start.recording,
        floor="open" if open_floor else "request",
    )


def call(join: JoinOrder, text: str | None, caller: str, *, replace: bool = False) -> CallOrder:
    """The call that goes with this join."""
    return CallOrder(
        join.meeting,
        join.publish,
        join.play,
        join.microphone,
        join.until,
        join.recording,
        join.floor,
        replace,
        text,
        caller or None,
    )


def sources(meeting: Meeting, room: str, rooms: Rooms) -> list[str]:
    """The rooms that this one plays."""
    wanted = [one for one in meeting.stage if one != room]
    queue = meeting.floor.queue
    if room == meeting.start.chair and queue and rooms[queue[0]].is_in(meeting.id):
        wanted.append(queue[0])
    return wanted[:MAX_SOURCES]


def floor(meeting: Meeting, room: str) -> FloorOrder | None:
    """The room's part in the floor; None where there is nothing to be given."""
    if meeting.over or not meeting.floor.by_request or room == meeting.start.chair:
        return None
    if room in meeting.floor.holders or room in meeting.floor.parting:
        return FloorOrder(meeting.id, "given")
    position = meeting.floor.position(room)
    if position is not None:
        return FloorOrder(meeting.id, "queued", position)
    return FloorOrder(meeting.id, "none")


def same(given: Order, wanted: Order) -> bool:
    """Whether a room that was given the one does the other.

    Where the floor is open, the room's own button says whether its microphone is live.
    """
    if isinstance(given, JoinOrder) and isinstance(wanted, JoinOrder):
        microphone = wanted.microphone if wanted.floor == "open" else given.microphone
        given = structs.replace(given, replace=wanted.replace, microphone=microphone)
    return given == wanted
