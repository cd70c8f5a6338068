"""A meeting's minutes, told from the journal's entries: who was there when, who spoke, what went wrong.

`agent.conductor.core.minutes_pages` writes them for people; the struct itself is what `--format json` gives.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from agent.conductor.core.meeting import Meeting
from agent.conductor.core.model import entries as e
from agent.conductor.core.model.acts import (
    Act,
    Call,
    End,
    Extend,
    Message,
    Mode,
    MuteAll,
    StartMeeting,
    room_of,
)
from agent.core.model.tag import tag_of


class Span(Struct, frozen=True):
    """From when to when; `end` is None while it lasts."""

    room: str
    begin: datetime
    end: datetime | None
    why: str = ""

    @property
    def seconds(self) -> float | None:
        return None if self.end is None else (self.end - self.begin).total_seconds()


class Line(Struct, frozen=True):
    """Something that happened at a time. `kind`: act, message, answer, fault, hand."""

    at: datetime
    kind: str
    room: str
    text: str
    by: str = ""


class Minutes(Struct, frozen=True):
    """All of it, in the order of time."""

    number: int
    meeting: str
    title: str | None
    mode: Mode
    chair: str | None
    started: datetime
    started_by: str
    ended: datetime | None
    rooms: list[str]
    absent: list[str]
    presence: list[Span]
    floor: list[Span]
    speaking: list[Span]
    lines: list[Line]


def minutes(entries: Iterable[e.Entry]) -> Minutes | None:
    """Those of the meeting whose entries these are, from its start on; None if there is no start."""
    notes: _Notes | None = None
    for entry in entries:
        if isinstance(entry.what, e.Acted) and isinstance(entry.what.act, StartMeeting):
            notes = _Notes(Meeting(entry.what.number, entry.what.act, entry.by, entry.at))
        if notes is not None:
            notes.take(entry)
    return notes.written() if notes else None


class _Spans:
    """Spans by room: opened and closed, never twice."""

    def __init__(self) -> None:
        self.closed: list[Span] = []
        self._open: dict[str, datetime] = {}

    def follow(self, rooms: Iterable[str], at: datetime, why: str = "") -> None:
        """Exactly these are open now."""
        wanted = set(rooms)
        for room in [one for one in self._open if one not in wanted]:
            self.closed.append(Span(room, self._open.pop(room), at, why))
        for room in wanted - set(self._open):
            self._open[room] = at

    def all(self) -> list[Span]:
        lasting = [Span(room, begin, None) for room, begin in self._open.items()]
        return sorted([*self.closed, *lasting], key=lambda span: (span.begin, span.room))


class _Notes:
    """The meeting played again, and what was noted at each entry."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._presence, self._floor, self._speaking = _Spans(), _Spans(), _Spans()
        self._lines: list[Line] = []

    def take(self, entry: e.Entry) -> None:
        meeting = self._meeting
        meeting.apply(entry)
        members = meeting.members.values()
        why = entry.what.why if isinstance(entry.what, e.Fell) else ""
        there = [one.room for one in members if one.entered]
        self._presence.follow([] if meeting.over else there, entry.at, why)
        self._floor.follow(meeting.floor.holders, entry.at)
        speaking = [one.room for one in members if one.speaking]
        self._speaking.follow([] if meeting.over else speaking, entry.at)
        self._lines += _lines(entry)

    def written(self) -> Minutes:
        meeting, presence = self._meeting, self._presence.all()
        there = {span.room for span in presence}
        return Minutes(
            number=meeting.number,
            meeting=meeting.id,
            title=meeting.start.title,
            mode=meeting.start.mode,
            chair=meeting.start.chair,
            started=meeting.started,
            started_by=meeting.started_by,
            ended=meeting.ended,
            rooms=sorted(meeting.members),
            absent=sorted(set(meeting.members) - there),
            presence=presence,
            floor=self._floor.all(),
            speaking=self._speaking.all(),
            lines=self._lines,
        )


def _lines(entry: e.Entry) -> Iterator[Line]:
    match entry.what:
        case e.Acted(act=act):
            text = act_text(act)
            kind = "message" if isinstance(act, Message) else "act"
            yield Line(entry.at, kind, room_of(act), text, entry.by)
        case e.HandRaised(room=room):
            yield Line(entry.at, "hand", room, "raised")
        case e.HandLowered(room=room):
            yield Line(entry.at, "hand", room, "lowered")
        case e.FloorReturned(room=room):
            yield Line(entry.at, "hand", room, "gave the floor back")
        case e.Faulted(room=room, code=code, text=text):
            yield Line(entry.at, "fault", room, text or code)
        case e.Answered(room=room, text=text):
            yield Line(entry.at, "answer", room, text)


def act_text(act: Act) -> str:
    """An act in a few words."""
    match act:
        case StartMeeting():
            return start_text(act.mode)
        case Message():
            return act.text
        case Extend(until=until):
            return f"until {until.isoformat(timespec='minutes')}"
        case Call(rooms=rooms):
            return f"call {', '.join(rooms) or 'all that are missing'}"
        case MuteAll():
            return "mute all"
        case End():
            return "end"
    return tag_of(act)


def start_text(mode: Mode) -> str:
    """How a start is told, before it is put into people's words."""
    return f"start ({mode})"
