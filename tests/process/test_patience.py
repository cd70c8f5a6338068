"""Deadlines for what this machine does itself: scaled by how slow it is measured to be, or by signs of life."""

from __future__ import annotations

import itertools
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.diagnostics import runner
from agent.diagnostics.bench import borrow
from agent.diagnostics.bench.loan import Loan
from agent.diagnostics.bench.protocol import Request
from agent.diagnostics.client import DaemonClient
from agent.diagnostics.report import Finding
from agent.diagnostics.runner import Subject
from agent.diagnostics.site import Site, inspect
from agent.errors import DeviceTimeout
from agent.ipc import loading, patience
from agent.settings import Devices

REQUEST = Request("tone", Devices(), 0.1)
REFUSED = '{"type":"refusal","code":"absent","text":"no loudspeaker"}'


def timer(*seconds: float) -> Callable[[], float]:
    """A clock by which the tries take so long, one after the other."""
    return itertools.accumulate(itertools.chain(*((1.0, took) for took in seconds))).__next__


@pytest.mark.parametrize(
    ("tries", "slowness"),
    [
        ((0.001, 0.001, 0.001), 1.0),
        ((0.008, 0.009, 0.008), 1.0),
        ((0.5, 0.016, 0.3), 2.0),
        ((5.0, 5.0, 5.0), patience.MOST),
    ],
)
def test_the_quickest_of_three_tries_says_how_slow_a_machine_is(
    tries: tuple[float, ...], slowness: float
) -> None:
    assert patience.slowness(timer(*tries)) == pytest.approx(slowness)


def runs(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    """A device's test is this program from now on."""
    monkeypatch.setattr(borrow, "PROGRAM", (sys.executable, "-c", program))


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return inspect(tmp_path / "agent.yaml", DaemonClient(tmp_path / "socket"))


def test_a_test_that_loads_for_long_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    """A card that is slow, not a device that hangs: on an emulated arm64 loading took longer than all of the deadline."""
    monkeypatch.setattr(borrow, "START_SECONDS", 0.3)
    runs(
        monkeypatch,
        "import time\nend = time.monotonic() + 1.5\nwhile time.monotonic() < end: pass\n"
        f"print('{{\"type\":\"loaded\"}}')\nprint('{REFUSED}', flush=True)",
    )
    with pytest.raises(borrow.BenchFailed, match="no loudspeaker"):
        borrow._try_out(site, REQUEST, Loan(), lambda level: None)


def test_one_that_does_nothing_while_it_loads_is_given_up(
    monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    monkeypatch.setattr(loading, "LIFELESS_SECONDS", 0.5)
    runs(monkeypatch, "import time; time.sleep(60)")
    with pytest.raises(DeviceTimeout, match="did nothing"):
        borrow._try_out(site, REQUEST, Loan(), lambda level: None)


def test_a_device_that_hangs_after_loading_is_given_up(
    monkeypatch: pytest.MonkeyPatch, site: Site
) -> None:
    monkeypatch.setattr(borrow, "START_SECONDS", 0.3)
    runs(
        monkeypatch,
        'import time; print(\'{"type":"loaded"}\', flush=True)\nwhile True: time.sleep(0.01)',
    )
    with pytest.raises(DeviceTimeout, match="did not finish in time"):
        borrow._try_out(site, REQUEST, Loan(), lambda level: None)


def test_a_check_has_longer_on_a_slow_board(monkeypatch: pytest.MonkeyPatch, site: Site) -> None:
    monkeypatch.setattr(patience, "slowness", lambda: 8.0)

    def look(_: Site) -> list[Finding]:
        time.sleep(0.6)
        return []

    slow = Subject("slow", look, limit_seconds=0.3)
    assert not list(runner.run(site, [slow]).findings())
