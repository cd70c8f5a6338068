"""A broken, full or read-only disk: the journal says so and goes on as well as it can."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from agent.core.model.documents import Status
from agent.errors import JournalError
from agent.store import database as database_module
from agent.store.history import history
from agent.store.journal import Journal
from tests.store.test_journal import event, ping, result


def filled(folder: Path) -> Path:
    journal = Journal(folder)
    for number in range(50):
        journal.record_command(ping(f"p{number}"))
    journal.close()
    return folder / "journal.db"


@pytest.mark.parametrize("damage", ["overwritten", "zeroed-page", "truncated"])
def test_a_corrupted_database_is_set_aside_and_replaced(tmp_path: Path, damage: str) -> None:
    path = filled(tmp_path)
    content = path.read_bytes()
    damaged = {
        "overwritten": b"not a database at all" * 400,
        "zeroed-page": content[:4096] + bytes(4096) + content[8192:],
        "truncated": content[:6000],
    }[damage]
    path.write_bytes(damaged)

    journal = Journal(tmp_path)
    assert journal.condition.status is Status.DEGRADED
    assert journal.condition.code == "journal-replaced"
    (aside,) = (p for p in tmp_path.iterdir() if p.name.split("-")[-1].isdigit())
    assert aside.name.startswith("journal.db.corrupt-")
    assert aside.name in journal.condition.text
    assert aside.read_bytes() == damaged
    journal.record_command(ping("after"))
    journal.close()

    again = Journal(tmp_path)
    assert again.condition.status is Status.OK
    assert [command.id for command in again.unfinished()] == ["after"]


def test_a_card_that_breaks_every_day_does_not_get_full_of_broken_journals(tmp_path: Path) -> None:
    for day in range(1_700_000_001, 1_700_000_006):
        (tmp_path / f"journal.db.corrupt-{day}").write_text("old")
        (tmp_path / f"journal.db.corrupt-{day}-wal").write_text("old")
    (tmp_path / "journal.db").write_text("broken again" * 1000)
    assert Journal(tmp_path).condition.code == "journal-replaced"
    old = {
        path.name.rpartition("corrupt-")[2] for path in tmp_path.iterdir() if "old" in text(path)
    }
    assert old == {"1700000004", "1700000004-wal", "1700000005", "1700000005-wal"}


def text(path: Path) -> str:
    return path.read_bytes().decode(errors="replace")


def test_a_database_of_a_later_version_is_set_aside(tmp_path: Path) -> None:
    path = filled(tmp_path)
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    journal = Journal(tmp_path)
    assert journal.condition.code == "journal-replaced"
    assert "99" in journal.condition.text


def test_a_power_cut_in_the_middle_of_a_write_costs_only_that_write(tmp_path: Path) -> None:
    """The log's end is torn at random places, or holds what the card happened to have there."""
    writer = Journal(tmp_path / "writer")
    for number in range(12):
        writer.record_command(ping(f"p{number}"))
    files = {path.name: path.read_bytes() for path in (tmp_path / "writer").iterdir()}
    chance = random.Random(7)
    kept = set()
    for cut in range(40):
        folder = tmp_path / str(cut)
        folder.mkdir()
        log = files["journal.db-wal"]
        torn = log[: chance.randrange(len(log))]
        rest = chance.randbytes(len(log) - len(torn)) if chance.random() < 0.5 else b""
        (folder / "journal.db").write_bytes(files["journal.db"])
        (folder / "journal.db-wal").write_bytes(torn + rest)
        journal = Journal(folder)
        assert journal.condition.status is Status.OK
        recorded = [command.id for command in journal.unfinished()]
        assert recorded == [f"p{number}" for number in range(len(recorded))]
        kept.add(len(recorded))
        journal.record_command(ping("after"))
        journal.close()
    assert len(kept) > 5, "cuts at many places"


def test_a_folder_that_cannot_be_made_leaves_a_journal_in_memory_that_says_so(
    tmp_path: Path,
) -> None:
    (tmp_path / "file").write_text("in the way")
    journal = Journal(tmp_path / "file" / "state")
    assert journal.condition.status is Status.FAILED
    assert journal.condition.code == "journal-not-kept"
    assert str(tmp_path / "file" / "state") in journal.condition.text
    journal.record_command(ping("p1"))
    journal.record_result(result(ping("p1")))
    assert journal.look_up("p1") == (True, result(ping("p1")).ack)


def test_a_full_disk_is_an_error_with_a_code_and_changes_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.record_command(ping("before"))
    (pages,) = journal._database.execute("PRAGMA page_count").fetchone()
    journal._database.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(JournalError) as caught:  # noqa: PT012 (which one is the last is SQLite's)
        for number in range(1000):
            journal.record_command(ping(f"p{number}"))
    assert caught.value.code == "disk-full"
    journal._database.execute("PRAGMA max_page_count = 100000")
    journal.record_command(ping("after"))
    recorded = [command.id for command in journal.unfinished()]
    assert recorded == ["before", *(f"p{n}" for n in range(len(recorded) - 2)), "after"]


def test_a_journal_that_somebody_else_holds_says_so_until_it_can_be_written_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "BUSY_SECONDS", 0.05)
    journal = Journal(tmp_path)
    with closing(sqlite3.connect(tmp_path / "journal.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError):
            journal.record_command(ping("p1"))
        assert journal.condition.status is Status.FAILED
        assert "locked" in journal.condition.text
    journal.record_command(ping("p2"))
    assert journal.condition.status is Status.OK


def test_damage_that_shows_while_running_costs_one_answer_and_not_the_journal(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path)
    with journal._database.transaction():
        for number in range(500):  # more than SQLite's cache holds
            journal._database.execute(
                "INSERT INTO command (id, type, received_at, result) VALUES (?, 'ping', 0, ?)",
                (f"p{number}", b"x" * 2000),
            )
    journal.close()
    journal = Journal(tmp_path)
    with (tmp_path / "journal.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 800_000)
    with pytest.raises(JournalError):
        journal.look_up("p7")
    assert journal.condition.code == "journal-replaced"
    journal.record_command(ping("after"))
    assert [command.id for command in journal.unfinished()] == ["after"]


def test_rows_of_another_version_do_not_keep_the_agent_from_starting(tmp_path: Path) -> None:
    path = filled(tmp_path)
    journal = Journal(tmp_path)
    journal.record_result(result(ping("p5")))
    journal.record_event(event(1))
    journal.close()
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE command SET command = '{}' WHERE id = 'p3'")
        connection.execute("""UPDATE command SET command = '{"id": "p4", "type": "dance", "body": {},
            "origin": "hub"}' WHERE id = 'p4'""")
        connection.execute("UPDATE command SET result = '{}' WHERE id = 'p5'")
        connection.execute("UPDATE outbox SET message = '{}'")
        connection.execute("UPDATE event SET document = '{}'")
    connection.close()
    journal = Journal(tmp_path)
    ids = [command.id for command in journal.unfinished()]
    assert ids == [f"p{number}" for number in range(50) if number not in (3, 4, 5)]
    assert journal.look_up("p5") == (True, None)
    assert journal.unsent() == []
    assert journal.events(["fault"], limit=5) == []
    assert "another version" in history(tmp_path, 1)[0].text
