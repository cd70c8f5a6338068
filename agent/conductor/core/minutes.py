"""A meeting's minutes, told from the journal's entries: who was there when, who spoke, what went wrong.

`minutes` gathers, `markdown` and `csv_rows` write; the struct itself is what `--json` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

from msgspec import Struct

from agent.conductor.core.floor import Floor
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
    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._presence, self._floor, self._speaking = _Spans(), _Spans(), _Spans()
        self._lines: list[Line] = []

    def take(self, entry: e.Entry) -> None:
        meeting, floor = self._meeting, self._meeting.floor
        meeting.apply(entry)
        members = meeting.members.values()
        why = entry.what.why if isinstance(entry.what, e.Fell) else ""
        there = [one.room for one in members if one.entered]
        self._presence.follow([] if meeting.over else there, entry.at, why)
        self._floor.follow(floor.holders, entry.at)
        speaking = [one.room for one in members if one.speaking]
        self._speaking.follow([] if meeting.over else speaking, entry.at)
        self._lines += _lines(entry, floor)

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


def _lines(entry: e.Entry, floor: Floor) -> Iterator[Line]:
    match entry.what:
        case e.Acted(act=act):
            text = act_text(act, floor)
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


def act_text(act: Act, floor: Floor) -> str:
    """An act in a few words."""
    match act:
        case StartMeeting():
            return _start_text(act.mode)
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


def _start_text(mode: Mode) -> str:
    return f"start ({mode})"


HEADINGS = ("Present", "Had the floor", "Microphone live")
MODES = {
    Mode.DISCUSSION: "discussion",
    Mode.ONE_BY_ONE: "one by one",
    Mode.CHAIR_GRANTS: "the chair grants",
}
KINDS = {
    "act": "Order",
    "message": "Message",
    "answer": "Answer",
    "fault": "Fault",
    "hand": "Hand",
}
ACTS = {
    "give": "gives the floor",
    "take": "takes the floor back",
    "next": "gives the floor to the next one",
    "lower": "lowers the hand",
    "mute all": "mutes all rooms",
    "end": "ends the meeting",
}
"""What is short for machines, as people are told it; each is a message of the catalog."""

STARTS = {_start_text(mode): mode for mode in Mode}

BY_PEOPLE = ("message", "answer")
"""Lines whose text somebody wrote: it is nobody's to translate."""


def markdown(found: Minutes, name: dict[str, str], say: Callable[[str], str]) -> str:
    """For people, in the language of `say`; `name`: room -> its name, where that is known. Times are local ones."""
    clock = "%d/%m/%Y %H:%M:%S"

    def shown(at: datetime | None) -> str:
        return at.astimezone().strftime(clock) if at else "…"

    def called(room: str) -> str:
        return _escaped(name.get(room, room))

    parts = [
        f"# {_escaped(found.title or found.meeting)}",
        f"{shown(found.started)} – {shown(found.ended)} · {say(MODES[found.mode])} · {found.started_by or '-'}",
    ]
    for heading, spans in zip(HEADINGS, (found.presence, found.floor, found.speaking), strict=True):
        parts.append(f"## {say(heading)}\n")
        parts.append("| | | | |\n| --- | --- | --- | --- |")
        parts[-1] += "".join(
            f"\n| {called(span.room)} | {shown(span.begin)} | {shown(span.end)} | {_escaped(say(span.why))} |"
            for span in spans
        )
    parts.append(f"## {say('Absent')}\n\n" + (", ".join(map(called, found.absent)) or "-"))
    parts.append(f"## {say('What happened')}\n")
    parts.append(
        "\n".join(
            f"- {shown(line.at)} **{say(KINDS[line.kind])}** {called(line.room)} {_escaped(_told(line, say))}"
            + (f" ({_escaped(line.by)})" if line.by else "")
            for line in found.lines
        )
    )
    return "\n\n".join(part.rstrip("\n") for part in parts) + "\n"


def _told(line: Line, say: Callable[[str], str]) -> str:
    if line.kind in BY_PEOPLE:
        return line.text
    mode = STARTS.get(line.text) if line.kind == "act" else None
    if mode is not None:
        return f"{say('starts the meeting')}: {say(MODES[mode])}"
    return say(ACTS.get(line.text, line.text))


def _escaped(text: str) -> str:
    """Nobody's name or message may become a table, a link or a heading."""
    return "".join(f"\\{c}" if c in "\\`*_{}[]<>()#+|!" else c for c in text)


def csv_rows(found: Minutes, name: dict[str, str]) -> list[list[str]]:
    """One row a span or line: what, room, name, from, to, seconds, text, by."""
    rows = [["what", "room", "name", "from", "to", "seconds", "text", "by"]]
    for what, spans in (
        ("present", found.presence),
        ("floor", found.floor),
        ("speaking", found.speaking),
    ):
        for span in spans:
            end = span.end.isoformat() if span.end else ""
            seconds = f"{span.seconds:.1f}" if span.seconds is not None else ""
            begin, called = span.begin.isoformat(), name.get(span.room, span.room)
            rows.append([what, span.room, called, begin, end, seconds, span.why, ""])
    rows += [
        [line.kind, line.room, name.get(line.room, line.room), line.at.isoformat(), "", "",
         line.text, line.by]
        for line in found.lines
    ]  # fmt: skip
    return [[_cell(one) for one in row] for row in rows]


def _cell(text: str) -> str:
    """A spreadsheet must not take a room's name for a formula."""
    return f"'{text}" if text[:1] in "=+-@\t\r" else text
