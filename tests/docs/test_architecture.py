"""docs/architecture.md shows the layers and libraries that tests/architecture enforces."""

from __future__ import annotations

import re

from tests.architecture.test_imports import INNER, LIBRARIES, MAY_IMPORT
from tests.docs.samples import table

PAGE = "docs/architecture.md"


def names(cell: str) -> set[str]:
    """`inner` stands for the four inner packages, `everywhere` for all."""
    found = set(re.findall(r"\w+", cell))
    if "everywhere" in found:
        return set(MAY_IMPORT)
    return found - {"inner"} | (INNER if "inner" in found else set())


def test_the_layers_are_the_ones_that_are_enforced() -> None:
    shown = {row[0]: names(row[2]) for row in table(PAGE, "package", "what it holds")}
    enforced = {package: may for package, may in MAY_IMPORT.items() if package != "__main__"}
    assert shown == enforced


def test_every_library_is_justified_where_it_may_be_used() -> None:
    rows = table(PAGE, "import", "where")
    assert {row[0]: names(row[1]) for row in rows} == LIBRARIES
    assert all(row[2] for row in rows)
