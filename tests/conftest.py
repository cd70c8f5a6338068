"""Which tests run beside one another in ./scripts/test, and which have the machine to themselves."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol

from tests.support.starvation import Watch

ALONE = ("demo", "media")
"""Folders of tests that carry media: with less than the whole machine these are other tests."""

TRIES = 3
STARVED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[STARVED] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in ALONE:
            item.add_marker("alone")


def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """A test that is to be alone, and fails while others keep the machine busy, is run again.

    What it measured then was the machine. Each such run is told at the end; a failure on a machine of its
    own is a failure at once.
    """
    if not item.get_closest_marker("alone"):
        return None
    hook, name = item.ihook, item.nodeid
    hook.pytest_runtest_logstart(nodeid=name, location=item.location)
    for left in reversed(range(TRIES)):
        watch = Watch()
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        starved = watch.starved()
        if not left or not starved or not any(report.failed for report in reports):
            break
        item.config.stash[STARVED].append(f"{name}: {starved}")
    for report in reports:
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=name, location=item.location)
    return True


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for line in config.stash[STARVED]:
        terminalreporter.write_line(f"run again, since the machine was too busy: {line}")
