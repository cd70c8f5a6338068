"""Whether an operator's act can be done: judged before it is written down, and written down before it is done."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches

from agent.conductor.core.meeting import Meeting
from agent.conductor.core.model.acts import (
    Act,
    Call,
    Extend,
    Give,
    Lower,
    Message,
    Mode,
    Next,
    StartMeeting,
    Take,
)
from agent.conductor.core.refused import Refused
from agent.conductor.core.rooms import Rooms
from agent.core.model.clock import Now
from agent.core.model.commands import MAX_SOURCES


def check_start(
    act: StartMeeting, running: Collection[Meeting], rivals: dict[str, str], rooms: Rooms, now: Now
) -> None:
    """Raises Refused. `rivals`: meetings (ids) that other conductors run -> their names."""
    if any(one.id == act.meeting for one in running):
        raise Refused("already-running", f"{act.meeting} is running already")
    if act.meeting in rivals:
        text = f"{act.meeting} is run by the conductor {rivals[act.meeting]}"
        raise Refused("run-elsewhere", text)
    named = {*act.rooms, *([act.chair] if act.chair else [])}
    members = named.union(rooms.in_groups(act.groups))
    if not members:
        raise Refused("bad-meeting", "no room: name rooms, or a group that has some")
    if act.mode is not Mode.DISCUSSION and act.chair is None:
        raise Refused("bad-meeting", f"mode {act.mode}: say which room has the chair")
    if act.mode is Mode.DISCUSSION and len(members) > MAX_SOURCES:
        text = f"a discussion has room for {MAX_SOURCES} rooms, not {len(members)}: choose another mode"
        raise Refused("bad-meeting", text)
    if act.until is not None and act.until <= now.wall:
        raise Refused("bad-meeting", f"until: {act.until.isoformat()} is past")
    for other in running:
        if taken := sorted(members & set(other.members)):
            raise Refused("room-taken", f"{', '.join(taken[:5])}: in the meeting {other.id}")


def never_seen(act: Act, rooms: Rooms) -> str:
    """What should make its operator look again: rooms and groups to start with of which the hub has never heard.

    They are called all the same, since a room may be switched on for its first meeting. Empty if all are known.
    """
    if not isinstance(act, StartMeeting):
        return ""
    known = sorted(name for name, one in rooms.items() if one.state is not None)
    named = dict.fromkeys([*act.rooms, *([act.chair] if act.chair else [])])
    told = [_with_the_like(room, known) for room in named if room not in known]
    parts = [f"never seen at this hub: {', '.join(told)}"] if told else []
    empty = [group for group in act.groups if not rooms.in_groups([group])]
    if empty:
        parts.append(f"no room is in the group {', '.join(empty)}")
    return "; ".join(parts)


def _with_the_like(room: str, known: list[str]) -> str:
    meant = get_close_matches(room, known, 1)
    return f"{room} (did you mean {meant[0]}?)" if meant else room


def check(act: Act, meeting: Meeting, now: Now) -> None:
    """Whether this running meeting takes the act. Raises Refused."""
    match act:
        case Give(room=room):
            _member(meeting, room)
            meeting.floor.check_give(room, meeting.start.chair)
        case Take(room=str() as room) | Lower(room=room):
            _member(meeting, room)
        case Next():
            meeting.floor.check_next(act.after)
        case Call(rooms=rooms) | Message(rooms=rooms):
            for room in rooms:
                _member(meeting, room)
        case Extend(until=until) if until <= now.wall:
            raise Refused("bad-meeting", f"until: {until.isoformat()} is past; end it instead")


def _member(meeting: Meeting, room: str) -> None:
    if room not in meeting.members:
        raise Refused("not-a-member", f"{room} does not belong to {meeting.id}")
