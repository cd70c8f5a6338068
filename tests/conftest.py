"""What all tests have in common: their language, their bytecode, and another try where the machine was too busy."""

from __future__ import annotations

import os
import sys

import pytest
from _pytest.runner import runtestprotocol

from tests.support.starvation import Watch

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
"""An installed package has its bytecode: daemons that compile 150 modules at each start take twice as long for it."""

TRIES = 3
STARVED = "starved"
"""The property of a test's report that tells of a run which does not count."""


@pytest.fixture(autouse=True)
def english() -> None:
    """A command that a test ran in this process has chosen its reader's language for all that comes after."""
    if spoken := sys.modules.get(
        "agent.locale"
    ):  # where it is installed, tests have no agent of their own
        spoken.use("en")


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool:
    """A test that fails while others keep the machine busy is run again.

    What it measured then may have been the machine. Each such run is told at the end; a failure on a
    machine of its own is a failure at once, and one that is a fault of ours fails again.
    """
    hook, name = item.ihook, item.nodeid
    told: list[tuple[str, object]] = []
    hook.pytest_runtest_logstart(nodeid=name, location=item.location)
    for left in reversed(range(TRIES)):
        watch = Watch()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        failed = next((report for report in reports if report.failed), None)
        starved = watch.starved() if failed else ""
        if not left or not failed or not starved:
            break
        told.append((STARVED, f"{name}: {starved}\n{failed.longreprtext}"))
    reports[0].user_properties += told
    for report in reports:
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=name, location=item.location)
    return True


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for reports in terminalreporter.stats.values():
        for report in reports:
            for key, told in getattr(report, "user_properties", ()):
                if key == STARVED and report.when == "setup":
                    terminalreporter.write_line(
                        f"run again, since the machine was too busy: {told}"
                    )
