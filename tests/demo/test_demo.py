"""`./scripts/demo` as a user runs it: two rooms meet, and all that it checks holds."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.demo.looking import read_pictures

pytestmark = pytest.mark.alone

ROOT = Path(__file__).parents[2]
DEADLINE_SECONDS = 400


@pytest.fixture(scope="module")
def run() -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tests.support.demo"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=DEADLINE_SECONDS,
        check=False,
    )


def test_two_rooms_meet_and_everything_holds(run: subprocess.CompletedProcess[str]) -> None:
    assert run.returncode == 0, run.stdout + run.stderr
    assert re.search(r"^All \d+ checks held, in \d+ s\.$", run.stdout, re.MULTILINE)
    assert "FAIL" not in run.stdout


def test_the_words_and_the_tone_were_found_at_the_other_end(
    run: subprocess.CompletedProcess[str],
) -> None:
    assert re.search(r"dat-mui hears lung-cu: tone of 4(39|40|41)\.\d Hz", run.stdout)
    assert re.search(r"lung-cu hears dat-mui: the words, peak ratio \d", run.stdout)


def test_acks_are_timed(run: subprocess.CompletedProcess[str]) -> None:
    for command in ("join", "mute", "unmute", "leave"):
        assert re.search(rf"lung-cu\s+{command} succeeded after \d+ ms", run.stdout)


def test_lines_fit_a_terminal(run: subprocess.CompletedProcess[str]) -> None:
    assert [line for line in run.stdout.splitlines() if len(line) > 80] == []


def test_the_pictures_are_there_to_be_looked_at(run: subprocess.CompletedProcess[str]) -> None:
    sizes = {
        "hub-sees-lung-cu": (640, 360),  # as the camera sends it
        "hub-sees-dat-mui": (640, 360),
        "lung-cu-sees-dat-mui": (1280, 720),  # as the room's screen shows it
        "dat-mui-sees-lung-cu": (1280, 720),
        "two-rooms": (648, 180),
    }
    for name, (width, height) in sizes.items():
        picture = next(read_pictures(ROOT / "out" / "demo" / f"{name}.png"))
        assert picture.shape == (height, width, 3)
