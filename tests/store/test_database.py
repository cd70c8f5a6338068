"""A broken, full or read-only disk: the journal says so and goes on as well as it can."""

from __future__ import annotations

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from msgspec import structs

from agent.core.model.commands import SIGNED_BY
from agent.core.model.documents import Status
from agent.errors import JournalError
from agent.store import database as database_module
from agent.store.history import history
from agent.store.journal import Journal
from agent.store.unkept import MAX_UNKEPT
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


def test_a_card_that_breaks_every_day_does_not_get_full_of_broken_journals(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(1_700_000_001, 1_700_000_006):
        (tmp_path / f"journal.db.corrupt-{day}").write_text("old")
        (tmp_path / f"journal.db.corrupt-{day}-wal").write_text("old")
    (tmp_path / "journal.db").write_text("broken again" * 1000)
    monkeypatch.setattr(database_module, "time", SimpleNamespace(time=lambda: 35.0))  # 1970
    assert Journal(tmp_path).condition.code == "journal-replaced"
    assert (tmp_path / "journal.db.corrupt-35").exists()
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


def spoil(journal: Journal, folder: Path) -> None:
    """Garbage over the file while it is open; a look at what SQLite has not cached finds it."""
    with journal._database.transaction():
        for number in range(500):
            journal._database.execute(
                "INSERT INTO command (id, type, received_at, result) VALUES (?, 'ping', 0, ?)",
                (f"old-{number}", b"x" * 2000),
            )
    journal._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    with (folder / "journal.db").open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 800_000)
    with suppress(JournalError):
        journal.look_up("old-7")
    assert journal.condition.code == "journal-replaced"


def test_a_command_is_known_though_the_database_was_replaced(tmp_path: Path) -> None:
    """It ran; the hub that repeats it is to hear the same answer, and it is not to run again."""
    journal = Journal(tmp_path)
    for name in ("done", "open"):
        journal.record_command(ping(name))
    journal.record_result(result(ping("done")))
    spoil(journal, tmp_path)
    assert journal.look_up("done") == (True, result(ping("done")).ack)
    assert journal.look_up("open") == (True, None)
    assert journal.look_up("new") == (False, None)


def test_a_command_is_known_though_the_disk_cannot_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path)
    journal.record_command(ping("done"))
    journal.record_result(result(ping("done")))

    def unreadable(*_: object) -> None:
        raise JournalError("journal-failed", "disk I/O error")

    monkeypatch.setattr(journal._database, "execute", unreadable)
    assert journal.look_up("done") == (True, result(ping("done")).ack)
    with pytest.raises(JournalError):
        journal.look_up("new")


def test_keys_of_a_replaced_database_mean_nothing_in_the_new_one(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    before = [journal.record_event(event(number)) for number in range(5)]
    spoil(journal, tmp_path)
    after = [journal.record_event(event(number)) for number in range(5)]
    assert not {one.key for one in before} & {one.key for one in after}
    for one in before:  # the broker's late PUBACKs
        journal.mark_sent(one.key)
    assert journal.unsent() == after


def test_what_the_next_start_goes_by_survives_a_replaced_database(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.remember("muted_by_hand", "yes")
    journal.close()
    journal = Journal(tmp_path)
    spoil(journal, tmp_path)
    journal.record_command(ping("after"))
    journal.close()
    assert Journal(tmp_path).recall("muted_by_hand") == "yes"


@pytest.mark.parametrize("how", ["killed", "closed"])
def test_a_journal_that_cannot_be_written_is_read(
    tmp_path: Path, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = Journal(tmp_path / "a")
    writer.remember("muted_by_hand", "yes")
    writer.record_command(ping("open"))
    writer.record_command(ping("p1"))
    sent = writer.record_result(result(ping("p1")))
    if how == "closed":
        writer.close()
    shutil.copytree(tmp_path / "a", tmp_path / "b")

    def read_only(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorname = "SQLITE_READONLY"
        raise error

    monkeypatch.setattr(database_module, "_open", read_only)
    journal = Journal(tmp_path / "b")
    assert journal.condition.code == "journal-not-kept"
    assert journal.recall("muted_by_hand") == "yes"
    assert [command.id for command in journal.unfinished()] == ["open"]
    assert journal.look_up("p1") == (True, sent.message.ack)  # type: ignore[union-attr]
    assert [one.message for one in journal.unsent()] == [sent.message]
    journal.record_result(result(ping("open")))
    assert journal.unfinished() == []


def delete(path: Path) -> None:
    path.unlink()


def delete_all(path: Path) -> None:
    shutil.rmtree(path.parent)


def replace_by_an_older_one(path: Path) -> None:
    shutil.copytree(path.parent.with_name("backup"), path.parent, dirs_exist_ok=True)
    shutil.copy(path, path.with_name("copy"))
    path.with_name("copy").replace(path)


def make_it_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_it_a_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to("elsewhere")


@pytest.mark.parametrize(
    "harm", [delete, delete_all, replace_by_an_older_one, make_it_a_folder, make_it_a_link]
)
def test_a_journal_that_is_taken_away_while_it_is_open_is_written_anew(
    tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    """All that was written from then on, and the audit trail of before, ended with the process; nobody was told."""
    Journal(tmp_path / "backup").close()
    journal = Journal(tmp_path / "a")
    journal.remember("muted_by_hand", "yes")
    journal.record_command(ping("open"))
    journal.record_event(structs.replace(event(1), type="device-opened"))
    sent = journal.record_event(event(2))
    harm(tmp_path / "a" / "journal.db")
    journal.record_command(ping("after"))
    assert journal.condition.code == "journal-taken-away"
    journal.mark_sent(sent.key)
    journal.close()
    again = Journal(tmp_path / "a")
    assert again.condition.status is Status.OK
    assert again.recall("muted_by_hand") == "yes"
    assert [command.id for command in again.unfinished()] == ["open", "after"]
    assert len(again.events(["device-opened"], 9)) == 1
    assert len(again.unsent()) == 1, "the first event: the broker has the second"
    assert (tmp_path / "a" / "journal.db").stat().st_mode & 0o777 == 0o600


def test_where_it_cannot_be_written_anew_it_says_so_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "ANEW_SECONDS", 0)
    journal = Journal(tmp_path / "a")
    journal.record_command(ping("before"))
    shutil.rmtree(tmp_path / "a")
    (tmp_path / "a").write_text("in the way")
    journal.record_command(ping("meanwhile"))
    assert journal.condition.code == "journal-not-kept"
    (tmp_path / "a").unlink()
    journal.record_command(ping("after"))
    assert journal.condition.code == "journal-taken-away"
    journal.close()
    ids = [command.id for command in Journal(tmp_path / "a").unfinished()]
    assert ids == ["before", "meanwhile", "after"]


@pytest.mark.parametrize("readable", [True, False])
def test_a_journal_in_memory_goes_to_the_disk_when_that_is_well_again(
    tmp_path: Path, readable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stayed in memory until the next start, which then knew nothing of it; and health said so all the time."""
    monkeypatch.setattr(database_module, "ANEW_SECONDS", 0)
    writer = Journal(tmp_path)
    writer.remember("muted_by_hand", "no")
    writer.record_command(ping("before"))
    writer.close()
    works = database_module._open

    def read_only(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("attempt to write a readonly database")
        error.sqlite_errorname = "SQLITE_READONLY"
        raise error

    monkeypatch.setattr(database_module, "_open", read_only)
    if not readable:
        monkeypatch.setattr(database_module, "_copy", lambda path: None)
    journal = Journal(tmp_path)
    journal.remember("muted_by_hand", "yes")
    assert journal.condition.code == "journal-not-kept"
    monkeypatch.setattr(database_module, "_open", works)
    journal.record_command(ping("after"))
    assert journal.condition.status is Status.OK
    journal.close()
    again = Journal(tmp_path)
    assert again.recall("muted_by_hand") == "yes"
    ids = [command.id for command in again.unfinished()]
    assert ids == (["before", "after"] if readable else ["after"])
    aside = list(tmp_path.glob("journal.db.corrupt-*[0-9]"))
    assert len(aside) == (0 if readable else 1), "what could not be read is kept"


def test_a_repeated_id_has_its_old_answer_though_the_disk_is_full(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    (pages,) = journal._database.execute("PRAGMA page_count").fetchone()
    journal._database.execute(f"PRAGMA max_page_count = {pages}")
    command = structs.replace(ping("unmute-1"), sender=f"{SIGNED_BY}ha")
    journal.not_recorded(command=command)
    assert journal.look_up("unmute-1") == (True, None)
    journal.not_recorded(ack=result(command).ack)
    for number in range(MAX_UNKEPT + 5):  # a hostile broker floods
        journal.not_recorded(command=ping(f"p{number}"))
    assert journal.look_up("unmute-1") == (True, result(command).ack)
    assert journal.look_up("p0") == (False, None)
    assert len(list(journal._unkept)) == MAX_UNKEPT + 1
    journal._database.execute("PRAGMA max_page_count = 100000")
    journal.record_late()
    assert len(list(journal._unkept)) == MAX_UNKEPT
    journal.close()
    assert Journal(tmp_path).look_up("unmute-1") == (True, result(command).ack)


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
