"""The journal as the daemon uses it: what is recorded is found again by the next process."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import structs

from agent.core.audit import AUDITED
from agent.core.model.commands import (
    MAX_SIGNED_SECONDS,
    Ack,
    AckState,
    Code,
    Command,
    Join,
    Meeting,
    Origin,
    Ping,
    Publishing,
    Reply,
    Source,
)
from agent.core.model.documents import EventDetail, EventDocument, Status
from agent.core.model.effects import SendAck
from agent.core.model.events import MeetingRecord
from agent.store import journal as journal_module
from agent.store import outbox as outbox_module
from agent.store import stamps as stamps_module
from agent.store.journal import Journal

AT = datetime(2026, 11, 22, 7, 15, tzinfo=UTC)


def ping(command_id: str) -> Command:
    return Command(id=command_id, type="ping", body=Ping(), origin=Origin.HUB)


def join(command_id: str = "j1") -> Command:
    return Command(
        id=command_id,
        type="join",
        body=Join(
            meeting=Meeting("giao-ban", title="Giao ban đầu tuần"),
            publish=Publishing("http://media/whip", token="s3cret-token"),
            play=[Source("http://media/whep", label="Xã Đoài")],
            until=AT + timedelta(hours=2),
        ),
        origin=Origin.GROUP,
        issued=AT,
        expires=AT + timedelta(minutes=1),
        sender="key operators-2026",
        reply=Reply("operators/7/answers", correlation=b"\x00\xff"),
    )


def result(command: Command, state: AckState = AckState.SUCCEEDED) -> SendAck:
    ack = Ack(command.id, command.type, "r1", state, Code.OK, "done", seq=2, at=AT)
    return SendAck(ack, reply=command.reply, final=True)


def event(number: int) -> EventDocument:
    return EventDocument(
        "fault", "r1", "camera-absent", f"fault {number}", AT, EventDetail(count=number)
    )


def test_a_command_is_unfinished_until_its_result_and_then_answered_from_the_journal(
    tmp_path: Path,
) -> None:
    first = Journal(tmp_path)
    assert first.look_up("j1") == (False, None)
    first.record_command(join())
    assert first.look_up("j1") == (True, None)
    first.close()

    second = Journal(tmp_path)
    assert second.unfinished() == [join()]
    second.record_result(result(join()))
    assert second.unfinished() == []
    second.close()

    third = Journal(tmp_path)
    assert third.look_up("j1") == (True, result(join()).ack)
    assert third.condition.status is Status.OK


def test_the_first_final_ack_stands(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_command(ping("p1"))
    journal.record_result(result(ping("p1")))
    journal.record_result(result(ping("p1"), AckState.REJECTED))
    journal.record_command(ping("p1"))
    known, ack = journal.look_up("p1")
    assert known
    assert ack is not None
    assert ack.state is AckState.SUCCEEDED
    assert journal.unfinished() == []


def test_a_refused_command_that_was_never_recorded_has_a_result_too(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_result(result(ping("p1"), AckState.REJECTED))
    assert journal.look_up("p1")[1] == result(ping("p1"), AckState.REJECTED).ack


def test_the_outbox_keeps_order_until_the_broker_has_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_command(join())
    first = journal.record_event(event(1))
    second = journal.record_result(result(join()))
    third = journal.record_event(event(2))
    journal.mark_sent(second.key)
    journal.mark_sent(second.key)  # a repeat does no harm
    journal.close()

    again = Journal(tmp_path)
    assert [one.message for one in again.unsent()] == [first.message, third.message]
    newest = again.record_event(event(3))
    assert newest.key not in {first.key, second.key, third.key}, "a key never comes back"


@pytest.mark.parametrize("kind", ["event", "ack"])
def test_the_outbox_drops_the_oldest_and_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Local commands are acked for the hub too, and with the hub away nothing takes their acks."""
    monkeypatch.setattr(outbox_module, "MAX_UNSENT", {"event": 5, "ack": 5})
    journal = Journal(tmp_path)
    other = (
        journal.record_result(result(ping("p")))
        if kind == "event"
        else journal.record_event(event(0))
    )
    for number in range(12):
        if kind == "event":
            journal.record_event(event(number))
        else:
            journal.record_result(result(ping(f"p{number}")))
    *kept, notice = [outgoing.message for outgoing in journal.unsent()]
    assert kept[0] == other.message, "the other kind stays"
    assert len(kept) == 1 + 5
    assert isinstance(notice, EventDocument)
    assert notice.type == "events-dropped"
    assert notice.detail == EventDetail(
        count=7 if kind == "event" else 0, acks=7 if kind == "ack" else 0
    )
    assert "7 older " + ("events" if kind == "event" else "answers") in notice.text


def test_the_outbox_is_read_page_by_page(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    whole = [journal.record_event(event(number)) for number in range(5)]
    journal._database.execute("UPDATE outbox SET message = '{}' WHERE number = 2")
    first = journal.unsent("", 2)
    assert first == [whole[0], whole[2]]
    assert journal.unsent(first[-1].key, 2) == whole[3:]
    assert journal.unsent(whole[-1].key, 2) == []
    assert journal.unsent("another-file.4", 9) == journal.unsent()


def test_the_meeting_and_small_facts_survive(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(tmp_path)
    assert journal.meeting() is None
    assert journal.recall("boot") is None
    journal.remember_meeting(MeetingRecord(join(), since_wall=1_790_000_000.5))
    journal.remember("boot", "9f3c")
    journal.remember("meeting", "not the meeting")
    journal.close()

    again = Journal(tmp_path)
    assert again.meeting() == MeetingRecord(join(), since_wall=1_790_000_000.5)
    assert again.recall("boot") == "9f3c"
    again.remember_meeting(None)
    assert again.meeting() is None
    assert caplog.records == [], "nothing is left that could not be read"


def test_a_fact_that_is_known_already_costs_no_write(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.remember("boot", "9f3c")
    written = (tmp_path / "journal.db-wal").stat()
    journal.remember("boot", "9f3c")
    after = (tmp_path / "journal.db-wal").stat()
    assert (after.st_size, after.st_mtime_ns) == (written.st_size, written.st_mtime_ns)


def test_the_token_of_a_finished_command_is_gone_from_the_disk(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_command(join())
    journal.record_result(result(join()))
    journal.close()
    assert b"s3cret-token" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_only_the_owner_can_read_the_database(tmp_path: Path) -> None:
    folder = tmp_path / "of" / "state"
    journal = Journal(folder)
    journal.record_command(join())
    assert {path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]} == {0}


def test_finished_commands_and_events_are_bounded_by_rows_and_age(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MAX_COMMANDS", 20)
    monkeypatch.setattr(journal_module, "PRUNE_EVERY", 10)
    clock = [1_000_000_000.0]
    journal = Journal(tmp_path, now=lambda: clock[0])
    journal.record_command(ping("unfinished"))
    for number in range(60):
        journal.record_command(ping(f"p{number}"))
        journal.record_result(result(ping(f"p{number}")))
    known = [number for number in range(60) if journal.look_up(f"p{number}")[0]]
    assert known[-1] == 59
    assert 19 <= len(known) <= 31
    assert [command.id for command in journal.unfinished()] == ["unfinished"]

    journal.record_event(event(0))
    clock[0] += journal_module.MAX_AGE_SECONDS + 1
    journal.close()
    again = Journal(tmp_path, now=lambda: clock[0])
    again.record_event(event(1))
    assert not again.look_up("p59")[0]
    assert again.look_up("unfinished")[0]
    assert again.events(["fault"], 9) == [event(1)]


def test_a_flood_does_not_wash_away_the_ids_of_signed_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else whoever holds a signed command back could flood the room and then repeat it."""
    monkeypatch.setattr(journal_module, "MAX_COMMANDS", 20)
    monkeypatch.setattr(journal_module, "PRUNE_EVERY", 10)
    clock = [1_000_000_000.0]
    monkeypatch.setattr(stamps_module, "monotonic", lambda: clock[0])
    journal = Journal(tmp_path, now=lambda: clock[0])
    signed = structs.replace(ping("signed"), sender="key ha-2026")
    journal.record_command(signed)
    journal.record_result(result(signed))

    def flood() -> None:
        for number in range(60):
            journal.record_command(ping(f"p{number} {clock[0]}"))
            journal.record_result(result(ping(f"p{number} {clock[0]}")))

    flood()
    assert journal.look_up("signed")[0]
    clock[0] += 2 * MAX_SIGNED_SECONDS + 1
    flood()
    assert not journal.look_up("signed")[0]


YEAR = 365 * 86_400.0
NOW = 1_800_000_000.0


@pytest.mark.parametrize(
    "wrong", [0.0, NOW - YEAR, NOW + YEAR / 3], ids=["1970", "in the cupboard", "ahead"]
)
def test_a_clock_that_is_not_set_makes_nothing_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: float
) -> None:
    """At 1970, or months ahead, the audit trail and the ids that guard against replays were deleted; and what was
    written down at 1970 was deleted as soon as the clock was set."""
    monkeypatch.setattr(journal_module, "PRUNE_EVERY", 1)
    monkeypatch.setattr(journal_module, "MAX_COMMANDS", 20)
    opened = "device-opened"
    clock, is_set, uptime = [NOW], [True], [100.0]
    monkeypatch.setattr(stamps_module, "monotonic", lambda: uptime[0])

    def goes_on(seconds: float) -> None:
        clock[0] += seconds
        uptime[0] += seconds

    def journal() -> Journal:
        return Journal(tmp_path, now=lambda: clock[0], clock_is_set=lambda: is_set[0])

    first = journal()
    signed = structs.replace(ping("signed"), sender="key ha-2026")
    first.record_command(signed)
    first.record_result(result(signed))
    first.record_event(structs.replace(event(1), type=opened))
    first.close()

    clock[0], is_set[0] = wrong, False
    for start in (2, 10):  # it is killed and started again in between
        unset = journal()
        for number in range(start, start + 5):
            unset.record_event(structs.replace(event(number), type=opened))
            goes_on(60)
        for number in range(20):
            unset.record_command(ping(f"flood-{start}-{number}"))
            unset.record_result(result(ping(f"flood-{start}-{number}")))
        assert unset.look_up("signed")[0]
        last = unset
        if start == 2:
            unset.close()

    clock[0], is_set[0] = NOW + 3600, True  # NTP
    last.record_event(structs.replace(event(20), type=opened))
    goes_on(3600)
    last.record_event(structs.replace(event(21), type=opened))
    counts = [one.detail.count for one in reversed(last.events([opened], 99))]
    assert counts == [1, *range(2, 7), *range(10, 15), 20, 21]
    stamps = [at for (at,) in last._database.execute("SELECT at FROM event ORDER BY number")]
    assert stamps == sorted(stamps)
    assert stamps[1] > NOW
    goes_on(journal_module.MAX_AGE_SECONDS)
    for number in (22, 23):
        last.record_event(structs.replace(event(number), type=opened))
    left = {one.detail.count for one in last.events([opened], 99)}
    assert {22, 23} <= left <= {21, 22, 23}, "in the end they are old"


@pytest.mark.parametrize("jump", [100 * 86_400.0, 74 * YEAR], ids=["100 days", "2100"])
def test_a_clock_that_was_set_and_jumps_ahead_makes_nothing_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: float
) -> None:
    monkeypatch.setattr(journal_module, "PRUNE_EVERY", 1)
    monkeypatch.setattr(journal_module, "MAX_COMMANDS", 20)
    clock = [NOW]
    journal = Journal(tmp_path, now=lambda: clock[0])
    signed = structs.replace(ping("signed"), sender="key ha-2026")
    journal.record_command(signed)
    journal.record_result(result(signed))
    journal.record_event(structs.replace(event(1), type="device-opened"))
    for now in (NOW + jump, NOW - YEAR, NOW):
        clock[0] = now
        for number in range(30):
            journal.record_command(ping(f"flood-{now}-{number}"))
            journal.record_result(result(ping(f"flood-{now}-{number}")))
        assert journal.look_up("signed")[0]
        assert journal.events(["device-opened"], 9)


KILLED = """
import os, signal, sys
from tests.store.test_journal import Journal, ping, result
journal = Journal(sys.argv[1])
journal.record_command(ping("done"))
outgoing = journal.record_result(result(ping("done")))
journal.mark_sent(outgoing.key)
journal.record_command(ping("open"))
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_was_recorded_survives_kill_9(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False, timeout=60
    )
    assert killed.returncode == -signal.SIGKILL
    journal = Journal(tmp_path)
    assert [command.id for command in journal.unfinished()] == ["open"]
    assert journal.look_up("done") == (True, result(ping("done")).ack)
    assert journal.unsent() == [], "also what was marked lazily"


def test_recorded_events_are_read_back_by_type_newest_first(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for number in range(5):
        journal.record_event(event(number))
        journal.record_event(EventDocument("device-opened", "r1", "ok", str(number), AT))
    assert [e.text for e in journal.events(["device-opened", "x"], limit=2)] == ["4", "3"]
    journal.mark_sent(journal.unsent()[0].key)
    assert len(journal.events(["fault"], limit=10)) == 5, "sent events stay for auditing"


def test_no_flood_of_events_washes_away_when_the_devices_were_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "MAX_EVENTS", 20)
    monkeypatch.setattr(journal_module, "PRUNE_EVERY", 10)
    journal = Journal(tmp_path)
    opened = structs.replace(event(0), type="device-opened")
    journal.record_event(opened)
    for number in range(100):
        journal.record_event(event(number))
    assert journal.events(AUDITED, 9) == [opened]
    assert 20 <= len(journal.events(["fault"], 99)) <= 31
