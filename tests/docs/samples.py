"""Cuts the documentation into what tests can run: fenced samples and tables.

A fence's info string says what a sample is: ```json command:join, ```sh broker, ```yaml settings.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^```(\w+)[ ]?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Sample:
    """One fenced block; `kind` is the word after the language."""

    page: str
    language: str
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.kind or self.language}"


def samples(page: str, language: str) -> list[Sample]:
    """All samples of a page in this language."""
    found = FENCE.findall(page_text(page))
    return [Sample(page, *parts) for parts in found if parts[0] == language]


def page_text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def table(page: str, *heading: str) -> list[list[str]]:
    """The rows (cells without back-ticks) of the first table whose headings begin with these."""
    rows: list[list[str]] = []
    for line in page_text(page).splitlines():
        cells = [
            cell.strip().replace("`", "")
            for cell in re.split(r"(?<=\s)\|(?=\s)", line.strip().strip("|"))
        ]
        if rows and not line.startswith("|"):
            break
        if rows or cells[: len(heading)] == list(heading):
            rows.append(cells)
    assert len(rows) > 2, f"{page} has no table with the headings {heading}"
    return rows[2:]
