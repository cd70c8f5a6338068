"""Which tests run beside one another in ./scripts/test, and which have the machine to themselves."""

from pathlib import Path

import pytest

ALONE = ("demo", "media")
"""Folders of tests that carry media: with less than the whole machine these are other tests."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in ALONE:
            item.add_marker("alone")
