"""`diemcau meeting` and `diemcau rooms`: a meeting by the terminal, for people and for scripts, with its exit codes."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli.app import run_tool
from tests.support.hub_site import HubSite
from tests.support.waiting import wait_for

ROOMS = ("xa-a", "xa-b")
DONE, REFUSED, AWAY = 0, 1, 2


class Terminal:
    """An operator's; `hub` is what it talks to."""

    def __init__(self, hub: HubSite, capsys: pytest.CaptureFixture[str]) -> None:
        self.hub = hub
        self._capsys = capsys

    def run(self, *arguments: str, code: int = DONE) -> str:
        """What it prints, if it ends like that."""
        return "".join(self._run(arguments, code))

    def json(self, *arguments: str, code: int = DONE) -> Any:
        return json.loads(self._run((*arguments, "--json"), code).out)

    def _run(self, arguments: tuple[str, ...], code: int) -> Any:
        self._capsys.readouterr()
        ended = run_tool(list(arguments))
        printed = self._capsys.readouterr()
        assert ended == code, f"{arguments}: {printed}"
        return printed

    def wait_for_code(self, code: int, *arguments: str) -> None:
        """Until it ends like that; what it prints until then is thrown away."""
        wait_for(lambda: run_tool(list(arguments)) == code, 30, f"{arguments} ends with {code}")
        self._capsys.readouterr()


@pytest.fixture
def terminal(
    make_hub: Callable[..., HubSite],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Terminal:
    hub = make_hub(*ROOMS)
    monkeypatch.setenv("DIEMCAU_CONDUCTOR", str(hub.conductor.config))
    monkeypatch.setenv("LANGUAGE", "en")
    return Terminal(hub, capsys)


def test_a_whole_meeting_by_the_terminal(terminal: Terminal, tmp_path: Path) -> None:
    run = terminal.run
    run("meeting", "start", "hop", "--room", "xa-a", "--room", "xa-b", "--chair", "xa-a",
        "--title", "Giao ban", "--minutes", "30")  # fmt: skip
    terminal.wait_for_code(DONE, "meeting", "show", "hop")
    assert "Phòng xa-b" in run("meeting", "show", "hop")
    assert "hop" in run("meeting", "list")
    assert "xa-b" in run("meeting", "give", "hop", "xa-b")
    (shown,) = terminal.json("meeting", "show", "hop")["meetings"]
    assert [one["room"] for one in shown["holders"]] == ["xa-b"]
    run("meeting", "take", "hop", "xa-b")
    wait_for(lambda: not terminal.hub.holds_floor("xa-b"), 20, "the room has heard of it")
    terminal.hub.rooms["xa-b"].ask(type="floor", state="queued")
    wait_for(lambda: terminal.hub.conductor.meeting("hop").queue == ["xa-b"], 20, "the hand")
    run("meeting", "next", "hop")
    assert terminal.hub.conductor.meeting("hop").queue == []
    run("meeting", "mute-all", "hop")
    assert terminal.hub.conductor.meeting("hop").holders == []
    run("meeting", "message", "hop", "Có mặt?", "--answer", "Có", "--answer", "Vắng")
    before = terminal.hub.conductor.meeting("hop").until
    run("meeting", "extend", "hop", "90")
    assert terminal.hub.conductor.meeting("hop").until != before
    run("meeting", "end", "hop")
    wait_for(lambda: terminal.hub.meeting_of("xa-b") is None, 20, "the room has left")
    assert "hop" in run("meeting", "list", "--past")
    assert "# Giao ban" in run("meeting", "minutes", "hop")
    rows = list(csv.reader(io.StringIO(run("meeting", "minutes", "hop", "--format", "csv"))))
    assert {row[1] for row in rows if row[0] == "present"} == set(ROOMS)
    assert json.loads(run("meeting", "minutes", "hop", "--format", "json"))["meeting"] == "hop"


def test_what_is_refused_says_why_and_ends_with_1(terminal: Terminal) -> None:
    assert "hop" in terminal.run("meeting", "give", "hop", "xa-b", code=REFUSED)
    assert terminal.run("meeting", "start", "hop", "--room", "xa-a", code=REFUSED)
    terminal.run("meeting", "start", "hop", "--room", "xa-a", "--chair", "xa-a")
    assert terminal.run("meeting", "give", "hop", "xa-b", code=REFUSED)
    assert terminal.run("meeting", "next", "hop", code=REFUSED)
    assert terminal.run("meeting", "minutes", "nope", code=REFUSED)


def test_without_a_conductor_it_ends_with_2_and_the_rooms_are_there_all_the_same(
    terminal: Terminal,
) -> None:
    terminal.hub.conductor.kill()
    assert "systemctl status diemcau-conductor" in terminal.run("meeting", "list", code=AWAY)
    assert [view["room"] for view in terminal.json("rooms")] == list(ROOMS)
    terminal.hub.rooms["xa-b"].kill()
    terminal.wait_for_code(REFUSED, "rooms")
    views = terminal.json("rooms", code=REFUSED)
    assert [view["room"] for view in views] == ["xa-b", "xa-a"], "worst first"
    text = terminal.run("rooms", code=REFUSED)
    assert text.index("Phòng xa-b") < text.index("Phòng xa-a")
    assert "lost" in text
    terminal.hub.broker.stop()
    terminal.run("rooms", code=AWAY)
