"""`diemcau meeting` and `diemcau rooms`: a meeting by the terminal, for people and for scripts, with its exit codes."""

from __future__ import annotations

import csv
import io
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent.cli.app import run_tool
from tests.support.broker import Hub
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
    assert "2 rooms have not answered: Phòng xa-a, Phòng xa-b" in run("meeting", "show", "hop")
    assert "nobody was called" in run("meeting", "call", "hop")
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


def test_a_room_that_is_not_there_is_called_with_words(terminal: Terminal) -> None:
    away = terminal.hub.rooms["xa-b"]
    calls = "diemcau/v1/room/+/cmd/call"
    with away.frozen(), Hub(terminal.hub.broker.port, [calls]) as hub:
        terminal.run(
            "meeting", "start", "hop", "--room", "xa-a", "--room", "xa-b", "--chair", "xa-a"
        )
        wait_for(lambda: terminal.hub.conductor.statuses("hop")["xa-a"] == "present", 20, "xa-a")
        terminal.run("meeting", "call", "hop", "xa-z", code=REFUSED)
        shown = terminal.run("meeting", "call", "hop", "--text", "Bão số 5")
        assert "Phòng xa-b" in shown
        assert "nobody was called" not in shown
        wait_for(lambda: hub.seen, 20, "the call")
    assert [(one.topic.split("/")[3], one.document["text"]) for one in hub.seen] == [
        ("xa-b", "Bão số 5")
    ]


class Watching:
    """`diemcau rooms --watch --json` in a process of its own; `seen` is its last line."""

    def __init__(self, conductor: Path) -> None:
        command = [sys.executable, "-m", "agent", "rooms", "--watch", "--json"]
        self.process = subprocess.Popen(
            [*command, "--conductor", str(conductor)], stdout=subprocess.PIPE, text=True
        )
        self.seen: dict[str, Any] = {"rooms": [], "trouble": ""}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.seen = json.loads(line)

    def links(self) -> dict[str, str]:
        return {one["room"]: one["connection"] for one in self.seen["rooms"]}


def test_rooms_are_watched_also_while_the_hub_goes_and_comes(terminal: Terminal) -> None:
    watching = Watching(terminal.hub.conductor.config)
    try:
        wait_for(lambda: watching.links() == dict.fromkeys(ROOMS, "online"), 20, "both")
        terminal.hub.rooms["xa-b"].kill()
        wait_for(lambda: watching.links() == {"xa-b": "lost", "xa-a": "online"}, 20, "one is lost")
        terminal.hub.broker.kill()
        wait_for(lambda: watching.seen["trouble"], 20, "it says that the hub is lost")
        assert watching.links() == {"xa-b": "lost", "xa-a": "online"}, "and what was seen last"
        terminal.hub.broker.start()
        wait_for(lambda: not watching.seen["trouble"], 30, "it sees again")
        watching.process.send_signal(signal.SIGINT)
        assert watching.process.wait(20) == 0
    finally:
        watching.process.kill()
        watching.process.wait()
