"""The journal as an auditor reads it, while the daemon goes on writing."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent.core.model.documents import EventDetail, EventDocument
from agent.errors import JournalError
from agent.store.history import history
from agent.store.journal import Journal
from tests.store.test_journal import AT, join, ping, result


def opened(device: str) -> EventDocument:
    detail = EventDetail(device=device, asked_by="key operators-2026")
    return EventDocument("device-opened", "r1", "ok", f"{device} open", AT, detail)


def test_it_tells_who_asked_for_what_and_how_that_ended(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_command(join())
    journal.record_event(opened("camera"))
    journal.record_result(result(join()))
    journal.record_command(ping("p1"))
    told = [(one.what, one.who, one.state, one.text) for one in history(tmp_path, 10)]
    assert told == [
        ("join", "key operators-2026", "succeeded", "done"),
        ("device-opened", "key operators-2026", "", "camera open"),
        ("ping", "hub", "", "not answered yet"),
    ]
    assert [record.what for record in history(tmp_path, 1)] == ["ping"]
    assert [r.what for r in history(tmp_path, 10, openings_only=True)] == ["device-opened"]
    journal.record_command(ping("p2"))  # a reader does not stand in the daemon's way


def test_without_a_journal_it_says_so_and_makes_none(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match=r"journal\.db cannot be read"):
        history(tmp_path, 10)
    assert list(tmp_path.iterdir()) == []
