"""10,000 mutilated agenda documents to a room, 10,000 mutilated iCalendar files to the hub's reader."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

from agent import settings
from agent.core.model.agenda import Agenda, AgendaItem, encode_agenda
from agent.core.model.commands import Attendance, Meeting
from agent.core.model.effects import StartMedia
from agent.hub.messages import Incoming, decode_agenda
from agent.hub.signature import Signatures
from agent.hub.topics import Topics
from tests.bench.row import Row
from tests.core.playbook import START, Playbook
from tests.support.calendars import read_calendar
from tests.support.fuzz import lines_turned_about, turned_about

LONG = True
COUNT = 10_000
CALENDARS = Path(__file__).parents[1] / "agenda" / "files"


def measure() -> list[Row]:
    wrong_joins, taken = _documents()
    return [
        Row("10,000 mutilated agendas, joins by none", wrong_joins, "", 0),
        Row("of them still a document", taken, "", None),
        Row("10,000 mutilated calendars, false times", _files(), "", 0),
    ]


def _documents() -> tuple[int, int]:
    """How many made a room join that no document sent it to, and how many were taken as documents.

    The meeting is on: what is taken as it was sent is joined at once.
    """
    topics = Topics("diemcau/v1", settings.Room(id="xa-a"))
    address = topics.parse_agenda("diemcau/v1/room/xa-a/agenda")
    assert address is not None
    meeting = Attendance(Meeting("giao-ban"))
    item = AgendaItem(
        "a", "Giao ban", START - timedelta(hours=1), START + timedelta(hours=1), meeting
    )
    original = encode_agenda(Agenda(1, 1, START, START + timedelta(days=14), [item]))
    signatures = Signatures("/nonexistent", required=False)
    dice, wrong, taken = random.Random(19), 0, 0
    for _ in range(COUNT):
        incoming = Incoming("", turned_about(dice, original), retained=True)
        received = decode_agenda(incoming, address, signatures)
        room = Playbook()
        room.tell(received)
        joined = bool(room.all(StartMedia))
        items = received.agenda.items if received.agenda is not None else []
        on = any(one.starts <= START < one.ends and not one.cancelled for one in items)
        valid = received.agenda is not None and received.agenda.valid_until > START
        taken += received.agenda is not None
        wrong += joined and not (on and valid)
    return wrong, taken


def _files() -> int:
    """How many meetings were read that end before they begin, or whose time has no zone."""
    dice, wrong = random.Random(2026), 0
    originals = [path.read_bytes() for path in sorted(CALENDARS.glob("*.ics"))]
    for _ in range(COUNT):
        data = lines_turned_about(dice, dice.choice(originals))
        reading = read_calendar(data, START, START + timedelta(days=14))
        wrong += sum(
            one.starts.utcoffset() != timedelta() or one.ends <= one.starts
            for one in reading.occurrences
        )
    return wrong
