"""`diemcau audit`: a technician sees who had the camera and the microphone opened."""

from __future__ import annotations

import json
from pathlib import Path

from agent.cli import words
from agent.store.journal import Journal
from tests.cli.conftest import Bench
from tests.store.test_history import opened
from tests.store.test_journal import ping, result
from tests.support.room import Room


def test_openings_and_commands_with_who_asked(tmp_path: Path) -> None:
    bench = Bench(Room("r1", "Phòng thử", tmp_path))
    bench.write_settings()
    nothing = bench.run("audit")
    assert nothing.returncode == 2
    assert "journal.db cannot be read" in nothing.stderr

    journal = Journal(bench.room.settings["store"]["path"])
    journal.record_command(ping("p1"))
    journal.record_result(result(ping("p1")))
    journal.record_event(opened("camera"))
    everything = bench.run("audit").stdout
    assert "ping [hub]: done: done" in everything
    assert "opened [key operators-2026]: camera open" in everything
    assert "ping" not in bench.run("audit", "--devices").stdout
    assert "opened" not in bench.run("audit", "--since", "2090-01-01").stdout
    told = json.loads(bench.run("audit", "--json").stdout)
    assert {one["what"] for one in told} == {"ping", "device-opened"}
    assert "[khóa operators-2026]" in bench.run("audit", "--lang", "vi").stdout


def test_a_local_user_is_called_by_name() -> None:
    assert words.sender("uid 0 pid 4711") == "root"
    assert words.sender("uid 4000000 pid 4711") == "uid 4000000"
    assert words.sender("key ha-2026") == "key ha-2026"
    assert words.sender("uid 0 pid 4711, check 7") == "root, check 7"
