"""No command of the tool opens the camera or the microphone in the dark: lamp on, and in the audit."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import typer

from agent.cli import main
from agent.cli.app import make_app
from agent.cli.test import camera, display
from agent.core.audit import CLOSED, OPENED
from agent.diagnostics.checks import camera as camera_check
from agent.store.history import Record, history
from tests.architecture.source import modules
from tests.cli.conftest import Bench
from tests.process.test_privacy import Witness
from tests.support.waiting import wait_for

ARGUMENTS: dict[str, list[str]] = {
    "join": ["giao-ban", "--timeout", "10"],
    "volume": ["30"],
    "display": ["on"],
    "record": ["on"],
    "identify": ["--seconds", "1"],
    "report": ["--yes", "--out", "{folder}/report.tar.gz"],
    "doctor": ["microphone"],  # the other devices are opened by its run for the report
    "check": ["microphone"],
    "setup": ["--name", "Lũng Cú", "--no-start"],
    "config explain": ["volume"],
    "config set": ["devices.speaker.volume", "50"],
    "test camera": ["--out", "{folder}/still.png"],
    "test microphone": ["--seconds", "1", "--no-play", "--out", "{folder}/voice.wav"],
    "test speaker": ["--seconds", "0.5"],
    "test display": ["--no-picture"],
    "test lamp": ["--seconds", "1"],
    "test button": ["--seconds", "1"],
    "test hub": ["--count", "1"],
    "test media": ["--seconds", "1"],
}
"""What a command needs to get as far as it can; the others are run without arguments."""

LEFT_OUT = {
    "run",  # the daemon itself: tests/process
    "test all",  # the other tests, one after the other
    "restart",  # ends the daemon, and with it every device
}
OPENING = {"doctor", "report", "test camera", "test microphone", "test speaker"}
"""Commands that must be seen to open something, or this test looks at nothing."""


def commands() -> list[str]:
    """Every command of the tool, such as `test camera`."""

    def leaves(command: object, path: str) -> Iterator[str]:
        children: dict[str, object] = getattr(command, "commands", {})
        for name, child in children.items():
            yield from leaves(child, f"{path} {name}".strip())
        if not children:
            yield path

    return sorted(set(leaves(typer.main.get_command(make_app([])), "")) - LEFT_OUT)


def run(bench: Bench, command: str) -> None:
    """One command, in this process; whatever it answers."""
    arguments = [one.format(folder=bench.room.folder) for one in ARGUMENTS.get(command, [])]
    timer = threading.Timer(1.0, os.kill, [os.getpid(), signal.SIGINT])
    before = signal.getsignal(signal.SIGINT)
    if command == "watch":
        timer.start()
    try:
        main(["--config", str(bench.config), *command.split(), *arguments])
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("started", [True, False], ids=["daemon up", "daemon down"])
def test_no_command_opens_a_device_in_the_dark(
    make_bench: Callable[..., Bench],
    started: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(display, "OFF_SECONDS", 0.1)
    for looking in (camera, camera_check):
        monkeypatch.setattr(looking, "LOOK_SECONDS", 0.3)
    bench = make_bench()
    if started:
        bench.room.start()
        bench.room.wait_online(20)
    opening = set()
    for command in commands():
        before = openings(bench)
        with Witness(bench.room) as witness:
            run(bench, command)
        assert witness.dark == [], command
        written = openings(bench)[len(before) :]
        if witness.opened:
            opening.add(command)
            assert written, f"{command} opened {witness.opened}, which stands nowhere"
            assert all(who.startswith(f"uid {os.getuid()} pid ") for who in written), command
        if command == "join" and started:
            main(["--config", str(bench.config), "leave"])
    capsys.readouterr()
    assert opening >= OPENING | ({"join", "test media"} if started else set())
    wait_for(lambda: not is_open(bench), 5, "all is closed")
    assert balance(bench) == 0


def openings(bench: Bench) -> list[str]:
    """Who had a device opened, as the journal has it."""
    return [record.who for record in records(bench) if record.what == OPENED]


def balance(bench: Bench) -> int:
    kinds = [record.what for record in records(bench)]
    return kinds.count(OPENED) - kinds.count(CLOSED)


def records(bench: Bench) -> list[Record]:
    store = Path(bench.room.settings["store"]["path"])
    return history(store, 1000, openings_only=True) if (store / "journal.db").exists() else []


def is_open(bench: Bench) -> list[str]:
    return [
        name for name in ("camera", "microphone") if (bench.room.folder / f"{name}.open").exists()
    ]


def test_only_the_bench_opens_devices() -> None:
    """Of all that the tool is made of, one process constructs what sees and hears."""
    found = set()
    for module in modules():
        if module.package in ("cli", "diagnostics"):
            source = module.path.read_text("utf-8")
            if any(f"registry.{kind}(" in source for kind in ("camera", "microphone", "speaker")):
                found.add(module.path.name)
    assert found == {"camera.py", "audio.py"}


def test_a_lamp_that_stays_dark_keeps_devices_closed(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench()
    bench.break_device("panel", "unplugged")
    with Witness(bench.room) as witness:
        found = bench.doctor("camera", "microphone")
    assert witness.opened == set()
    assert found.codes("skipped") == ["camera-lamp-dark", "microphone-lamp-dark"]


def test_what_was_seen_and_heard_is_nobody_elses_and_gone_at_the_end(
    healthy: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    for out in ([], ["--out", str(kept / "still.png")]):
        assert healthy.run("test", "camera", *out).returncode == 0
    healthy.run(
        *("test", "microphone", "--seconds", "1", "--no-play", "--out", str(kept / "voice.wav"))
    )
    assert list(temporary.rglob("*")) == []
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in kept.iterdir()}
    assert modes == {"still.png": 0o600, "voice.wav": 0o600}


def test_the_lamp_stays_lit_until_the_device_is_closed_also_if_the_tool_is_killed(
    healthy: Bench,
) -> None:
    with Witness(healthy.room) as witness:
        tool = subprocess.Popen(
            [
                *(sys.executable, "-m", "agent", "test", "microphone", "--seconds", "3"),
                *("--no-play", "--config", str(healthy.config)),
            ],
            stdout=subprocess.DEVNULL,
        )
        wait_for(lambda: is_open(healthy), 20, "the microphone is open")
        tool.kill()
        tool.wait()
        wait_for(lambda: not is_open(healthy), 20, "it is closed")
    assert witness.dark == []
    wait_for(lambda: balance(healthy) == 0, 5, "the audit says so")


def test_a_still_of_a_meeting_stands_in_the_audit(healthy: Bench, tmp_path: Path) -> None:
    assert healthy.run("join", "giao-ban").returncode == 0
    try:
        assert healthy.run("test", "camera", "--out", str(tmp_path / "a.png")).returncode == 0
        refused = healthy.run("test", "button", "--seconds", "1")
    finally:
        healthy.run("leave")
    assert (tmp_path / "a.png").stat().st_size > 1000
    assert stat.S_IMODE((tmp_path / "a.png").stat().st_mode) == 0o600
    assert "picture-taken" in [record.what for record in records(healthy)]
    assert refused.returncode == 2
    assert "in a meeting" in refused.stderr
