"""A meeting as the terminal shows it: who is there, who speaks, who waits, what was asked and answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from agent.cli import words
from agent.cli.meeting_words import mode, room_status
from agent.cli.output import hanging
from agent.conductor.core.model.views import MeetingView, MessageView, RosterRow
from agent.locale import gettext as _
from agent.locale import ngettext

if TYPE_CHECKING:
    from rich.text import Text

BRIEF_ROWS = 12
"""Of the roster, after an act: who counts for it, and no more than a screen takes."""

BRIEF_MESSAGES, MESSAGES = 1, 5
NAME_CELLS, ID_CELLS, WORD_CELLS = 22, 16, 13


def lines(view: MeetingView, width: int, *, brief: bool = False) -> list[Text]:
    """All of it; `brief`: only who speaks, waits or is missing, as after an act."""
    said = [_head(view, width)]
    if view.problem:
        said.append(hanging(width, (), words.text(view.problem), "failed"))
    rows = [row for row in view.roster if not brief or _counts(row, view)]
    shown = rows[:BRIEF_ROWS] if brief else rows
    said += [_row(row, view, width) for row in shown]
    if len(shown) < len(rows):
        text = _("… and {count} more: diemcau meeting show {id}")
        said.append(
            hanging(
                width, (("  ", ""),), text.format(count=len(rows) - len(shown), id=view.id), "quiet"
            )
        )
    for message in view.messages[-(BRIEF_MESSAGES if brief else MESSAGES) :]:
        said += _message(message, view, width)
    return said


def present(view: MeetingView) -> int:
    return sum(row.status == "present" for row in view.roster)


def _counts(row: RosterRow, view: MeetingView) -> bool:
    return (
        row.status != "present" or row.floor or row.position is not None or row.room == view.chair
    )


def _head(view: MeetingView, width: int) -> Text:
    there = _("{here} of {all} rooms are there").format(here=present(view), all=len(view.roster))
    parts = [view.id, mode(view.mode), there]
    if view.until is not None:
        parts.append(_("until {time}").format(time=_clock(view.until)))
    if view.recording == "on":
        parts.append(_("recorded"))
    title = view.title or view.id
    parts = parts[0 if view.title else 1 :]
    return hanging(width, ((title, "heading"), (" · ", "quiet")), " · ".join(parts))


def _row(row: RosterRow, view: MeetingView, width: int) -> Text:
    from rich.cells import set_cell_size

    word, style = room_status(row.status)
    head = (
        ("  " + set_cell_size(row.name, NAME_CELLS), style),
        (" " + set_cell_size(row.room, max(ID_CELLS, len(row.room))), style),
        (" " + set_cell_size(word, WORD_CELLS), style),
        (" ", ""),
    )
    return hanging(width, head, " · ".join(_notes(row, view)), style)


def _notes(row: RosterRow, view: MeetingView) -> Iterator[str]:
    if row.room == view.chair:
        yield _("chair")
    if row.floor:
        yield _speaks(row, view)
    if row.position:
        yield _("hand raised, place {place}").format(place=row.position)
    if row.text:
        yield words.text(row.text)
    if row.calls > 1:
        yield _("called {count} times").format(count=row.calls)


def _speaks(row: RosterRow, view: MeetingView) -> str:
    holder = next((one for one in view.holders if one.room == row.room), None)
    if holder is None:
        return _("has the floor")
    seconds = max(0.0, (datetime.now(UTC) - holder.since).total_seconds())
    text = _("has the floor for {minutes:.0f}:{seconds:02.0f}")
    return text.format(minutes=seconds // 60, seconds=int(seconds % 60))


def _message(message: MessageView, view: MeetingView, width: int) -> Iterator[Text]:
    """And what was answered: how often what, and who has yet to answer."""
    head = (("  " + _clock(message.at) + " ", "quiet"),)
    yield hanging(width, head, f"{message.by}: {message.text}")
    if not message.answers:
        return
    given = [f"{one} {list(message.answered.values()).count(one)}" for one in message.answers]
    missing = [row.name for row in view.roster if row.room not in message.answered]
    if missing:
        count = len(missing)
        text = ngettext("{count} room has not answered", "{count} rooms have not answered", count)
        given.append(f"{text.format(count=count)}: {', '.join(missing)}")
    yield hanging(width, (("        ", ""),), " · ".join(given))


def _clock(at: datetime) -> str:
    """The hour here; with its day if that is another."""
    here = at.astimezone()
    today = here.date() == datetime.now().astimezone().date()
    return f"{here:%H:%M}" if today else f"{here:%d/%m %H:%M}"
