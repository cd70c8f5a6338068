"""`diemcau audit`: a technician sees who had the camera and the microphone opened."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from msgspec import structs

from agent import locale
from agent.cli import main, words
from agent.core.model.commands import FINAL_STATES
from agent.locale.po import read_catalog
from agent.store.journal import Journal
from tests.cli.conftest import Bench
from tests.store.test_history import opened
from tests.store.test_journal import ping, result
from tests.support.broker import REPOSITORY
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


CONTRACT = (REPOSITORY / "docs/contract.md").read_text("utf-8").partition("\n## Events\n")[2]
EVENTS = CONTRACT[CONTRACT.index("| `fault`") :].partition("\n## ")[0]
KINDS = re.findall(r"`([a-z-]+)`", "".join(re.findall(r"^\| (`[^|]+) \|", EVENTS, re.MULTILINE)))


@pytest.mark.parametrize("language", ["en", "vi"])
def test_each_kind_of_line_is_told_in_words(
    tmp_path: Path, language: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every event of the contract and every command with each way in which one ends: no code in anybody's audit."""
    bench = Bench(Room("r1", "Phòng thử", tmp_path))
    bench.write_settings()
    journal = Journal(bench.room.settings["store"]["path"])
    for kind in KINDS:
        journal.record_event(structs.replace(opened("camera"), type=kind, text=""))
    for number, state in enumerate(sorted(FINAL_STATES)):
        command = ping(f"p{number}")
        journal.record_command(command)
        journal.record_result(result(command, state))
    journal.record_command(ping("waits"))
    journal.close()
    assert main(["--lang", language, "audit", "--config", str(bench.config), "-n", "500"]) == 0
    shown = capsys.readouterr().out
    told = [line.split(" ", 2)[2] for line in shown.splitlines() if line[:1].isdigit()]
    assert len(told) == len(KINDS) + len(FINAL_STATES) + 1
    assert len(KINDS) > 30
    heads = {line.partition(" [")[0] for line in told} - {"ping"}
    assert not heads & {kind for kind in KINDS if "-" in kind}, "codes"
    if language == "vi":
        assert not heads & {text for text in read_catalog(locale.path("vi")) if text.isascii()}
        assert not re.search(r"\b(done|failed|answered|yet)\b", " ".join(told))
