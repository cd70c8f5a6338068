"""What is kept is on disk before anything after it is done, with as few commits as that allows."""

from __future__ import annotations

import itertools
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from msgspec import structs

from agent.core.model.commands import Meeting
from agent.core.model.effects import (
    AcknowledgeDelivery,
    Effect,
    PublishEvent,
    RecordCommand,
    RememberDisplayKeptOn,
    RememberMeeting,
    RememberMutedByHand,
    RememberVolume,
    SetLamp,
    StartMedia,
)
from agent.core.model.events import Delivery, MeetingRecord, OrderedVolume
from agent.core.model.media import MeetingPlan
from agent.errors import JournalError
from agent.runtime.recorder import Recorder, segments
from agent.runtime.restoring import restored
from agent.store.journal import Journal
from tests.store.test_journal import event, join, ping, result

PLAN = MeetingPlan("giao-ban", "r1", None, [], False, True, 70)
ACKNOWLEDGE = AcknowledgeDelivery(Delivery(1, 1))


class CountingJournal(Journal):
    commits = 0

    def together(self) -> AbstractContextManager[None]:
        self.commits += 1
        return super().together()


def test_a_write_is_never_brought_before_an_act_that_was_before_it() -> None:
    record, lamp, start = RecordCommand(ping("a")), SetLamp("on"), StartMedia(1, PLAN)
    effects: list[Effect] = [record, ACKNOWLEDGE, lamp, start, PublishEvent(event(1)), ACKNOWLEDGE]
    assert list(segments(effects)) == [effects[:3], [start], effects[4:]]
    assert list(segments([])) == []


def test_one_commit_holds_a_segment(tmp_path: Path) -> None:
    journal = CountingJournal(tmp_path)
    command = ping("a")
    segment: list[Effect] = [
        RecordCommand(command),
        ACKNOWLEDGE,
        result(command),
        PublishEvent(event(1)),
        RememberMutedByHand(True),
    ]
    outgoing = Recorder(journal).record(segment)
    assert journal.commits == 1
    assert [out.message if out else None for out in outgoing] == [
        None,
        None,
        result(command),
        event(1),
        None,
    ]
    journal.close()
    again = Journal(tmp_path)
    assert [out.message for out in again.unsent()] == [out.message for out in outgoing if out]
    assert again.look_up("a") == (True, result(command).ack)
    assert again.recall("muted_by_hand") == "yes"


@pytest.mark.parametrize("kept", [OrderedVolume(30, instead_of=70), None])
def test_the_next_start_knows_the_volume(tmp_path: Path, kept: OrderedVolume | None) -> None:
    journal = Journal(tmp_path)
    if kept:
        Recorder(journal).record([RememberVolume(kept)])
    journal.close()
    assert restored(Journal(tmp_path), "boot", display_on=False).volume == kept


@pytest.mark.parametrize("yes", [True, False])
def test_the_next_start_knows_the_hands_mute_and_the_order_for_the_display(
    tmp_path: Path, yes: bool
) -> None:
    journal = Journal(tmp_path)
    Recorder(journal).record([RememberMutedByHand(not yes), RememberDisplayKeptOn(not yes)])
    Recorder(journal).record([RememberMutedByHand(yes), RememberDisplayKeptOn(yes)])
    journal.close()
    found = restored(Journal(tmp_path), "boot", display_on=False)
    assert (found.muted_by_hand, found.display_kept_on) == (yes, yes)


def test_a_volume_of_another_version_is_forgotten(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.remember("volume", "loud")
    assert restored(journal, "boot", display_on=False).volume is None


def test_a_single_write_needs_no_frame(tmp_path: Path) -> None:
    journal = CountingJournal(tmp_path)
    Recorder(journal).record([RecordCommand(ping("a")), ACKNOWLEDGE, SetLamp("blink")])
    assert journal.commits == 0
    assert journal.unfinished() == [ping("a")]


def test_a_full_disk_costs_durability_and_not_the_message(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class FullJournal(Journal):
        def record_event(self, _event: object) -> None:  # type: ignore[override]
            raise JournalError("disk-full", "the journal cannot be written; free some space")

    journal = FullJournal(tmp_path)
    outgoing = Recorder(journal).record([RecordCommand(ping("a")), PublishEvent(event(1))])
    assert outgoing[1] is not None
    assert (outgoing[1].message, outgoing[1].key) == (event(1), "")
    assert journal.look_up("a") == (True, None), "in memory: it must not run again"
    journal.close()
    assert Journal(tmp_path).look_up("a") == (False, None), "all of it or nothing"
    assert "free some space" in caplog.text


def test_a_meeting_that_was_left_is_forgotten_though_the_disk_is_full(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    recorder = Recorder(journal)
    joined = MeetingRecord(join(), 0.0)
    recorder.record([RecordCommand(join()), RememberMeeting(joined), RememberMutedByHand(True)])
    fill(journal)
    recorder.record([RecordCommand(ping("a")), PublishEvent(event(1)), RememberMeeting(None)])
    assert journal.meeting() is None
    journal.close()
    assert Journal(tmp_path).look_up("a") == (False, None)


def test_a_fact_that_could_not_be_written_is_written_when_there_is_room(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    recorder = Recorder(journal)
    fill(journal)
    long_title = structs.replace(join().body, meeting=Meeting("giao-ban", "x" * 200))
    record = MeetingRecord(structs.replace(join(), body=long_title, sender="y" * 9000), 0.0)
    recorder.record([RememberMeeting(record)])
    assert journal.meeting() is None
    journal._database.execute("PRAGMA max_page_count = 100000")
    recorder.record([RecordCommand(ping("after"))])
    assert journal.meeting() == record


def fill(journal: Journal) -> None:
    """As on a full disk, by SQLite's own limit."""
    (pages,) = journal._database.execute("PRAGMA page_count").fetchone()
    journal._database.execute(f"PRAGMA max_page_count = {pages}")
    for number in itertools.count():
        try:
            journal.record_event(event(number))
        except JournalError:
            return
