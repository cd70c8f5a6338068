"""Minutes as people read them: a page in Markdown, and rows of a table."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from agent.conductor.core.minutes import Line, Minutes, start_text
from agent.conductor.core.model.acts import Mode

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

STARTS = {start_text(mode): mode for mode in Mode}

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
