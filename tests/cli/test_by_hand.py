"""`diemcau test`: each part tried by hand, with the daemon and without, and the journal read."""

from __future__ import annotations

import json
import os
import re
import time
import wave
from collections.abc import Callable
from pathlib import Path

import av
import pytest

from tests.cli.conftest import Bench
from tests.cli.test_report import fake_tools

MakeBench = Callable[..., Bench]


def test_the_camera_leaves_a_still_and_its_figures(healthy: Bench, tmp_path: Path) -> None:
    out = tmp_path / "still.png"
    done = healthy.run("test", "camera", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert re.search(r"brightness \d+ of 255,\s+sharpness \d+", done.stdout)
    assert size_of(out) == (640, 360)


def test_in_a_meeting_the_still_is_what_is_sent(healthy: Bench, tmp_path: Path) -> None:
    assert healthy.run("join", "giao-ban").returncode == 0
    try:
        opened = healthy.room.opened_at("camera")
        out = tmp_path / "sent.png"
        done = healthy.run("test", "camera", "--out", str(out))
        assert done.returncode == 0, done.stderr
        assert size_of(out)[0] > 0
        assert healthy.room.opened_at("camera") == opened
        refused = healthy.run("test", "microphone", "--seconds", "1")
        assert refused.returncode == 2
        assert "meeting" in refused.stderr
    finally:
        healthy.run("leave")


def size_of(path: Path) -> tuple[int, int]:
    with av.open(str(path)) as picture:
        frame = next(picture.decode(video=0))
    return frame.width, frame.height


def test_the_microphone_records_what_it_hears(healthy: Bench, tmp_path: Path) -> None:
    out = tmp_path / "heard.wav"
    done = healthy.run("test", "microphone", "--seconds", "1", "--no-play", "--out", str(out))
    assert done.returncode == 0, done.stderr
    assert "noise floor" in done.stdout
    with wave.open(str(out)) as recording:
        assert recording.getnframes() >= 0.8 * recording.getframerate()


def test_the_loudspeaker_is_heard_with_its_delay(healthy: Bench) -> None:
    done = healthy.run("test", "speaker", "--seconds", "0.5")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"came back after \d+ ms at -\d+ dBFS", done.stdout)


@pytest.mark.parametrize("started", [False, True], ids=["without daemon", "with daemon"])
def test_display_and_lamp_do_what_they_shall(make_bench: MakeBench, started: bool) -> None:
    bench = make_bench()
    if started:
        bench.room.start()
        bench.room.wait_answering()
    assert bench.run("display", "on").returncode == (0 if started else 2)
    assert bench.run("test", "display", "--no-picture").returncode == 0
    assert bench.run("test", "lamp", "--seconds", "1").returncode == 0
    display = (bench.room.folder / "display.log").read_text().split()[1::2]
    assert display[-1] == "on"
    lamp = (bench.room.folder / "lamp.log").read_text().split()[1::2]
    assert "blink" in lamp


def test_the_display_is_left_as_it_was(healthy: Bench) -> None:
    for power in ("off", "on"):
        assert healthy.run("display", power).returncode == 0
        assert healthy.run("test", "display", "--no-picture").returncode == 0
        assert healthy.room.ask(type="status")["state"]["display"] == power


def test_a_button_that_nobody_presses_is_said(healthy: Bench) -> None:
    done = healthy.run("test", "button", "--seconds", "1")
    assert done.returncode == 1
    assert "Nothing came" in done.stdout


def test_the_hub_is_measured_step_by_step(healthy: Bench) -> None:
    healthy.room.wait_online()
    session = healthy.room.ask(type="status")["state"]["session"]
    done = healthy.run("test", "hub", "--count", "20")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(
        r"20 round trips through the broker: p50 [\d.]+ ms, p99 [\d.]+ ms", done.stdout
    )
    healthy.room.wait_online()
    after = healthy.room.ask(type="status")
    assert after["state"]["session"] == session, f"the room kept its link: {after['link']}"


def test_the_line_is_measured_in_a_meeting_of_its_own(healthy: Bench) -> None:
    done = healthy.run("test", "media", "--seconds", "8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"sending: .*loss [\d.]+ %", done.stdout)
    assert "receiving: " in done.stdout
    assert healthy.room.ask(type="status")["state"]["phase"] == "standby"


def entry(priority: int, message: str) -> str:
    at = str(int(time.time() * 1e6))
    return json.dumps({"__REALTIME_TIMESTAMP": at, "PRIORITY": str(priority), "MESSAGE": message})


def test_the_journal_is_readable(make_bench: MakeBench, tmp_path: Path) -> None:
    bench = make_bench()
    lines = [entry(6, "in meeting giao-ban"), entry(3, "Camera: unplugged; " + 12 * "check it ")]
    fake_tools(tmp_path / "bin", {"journalctl": "\n".join(lines) + "\n"})
    bench.environment |= {"PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    done = bench.run("logs", "--errors", "--since", "today")
    assert done.returncode == 0
    shown = done.stdout.splitlines()
    assert re.fullmatch(r"\d\d/\d\d \d\d:\d\d:\d\d in meeting giao-ban", shown[0])
    assert shown[1].endswith("check it")
    assert shown[2].startswith("               check it")
