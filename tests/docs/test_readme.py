"""README.md: its samples are taken, its tables are complete, its files are there."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from agent.config import load
from agent.core.model.commands import COMMANDS
from agent.settings import Settings
from tests.docs.samples import ROOT, Sample, page_text, samples, table

README = "README.md"
PAGES = [
    *("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"),
    *(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md")),
]


@pytest.mark.parametrize("sample", samples(README, "yaml"), ids=str)
def test_a_settings_sample_is_accepted(sample: Sample, tmp_path: Path) -> None:
    file = tmp_path / "agent.yaml"
    file.write_text(sample.text, "utf-8")
    assert load(file, check_files=False).room.id == "lung-cu"


def test_the_sections_of_the_settings_are_the_ones_in_the_table() -> None:
    assert [row[0] for row in table(README, "section")] == list(Settings.__struct_fields__)


def test_the_commands_are_the_ones_in_the_table() -> None:
    named = [name for row in table(README, "command") for name in row[0].split(", ")]
    assert named == list(COMMANDS)


def test_the_scripts_that_are_named_can_be_run() -> None:
    named = set(re.findall(r"\./(scripts/[a-z-]+)", page_text(README)))
    assert {"scripts/demo", "scripts/test", "scripts/setup"} <= named
    for script in named:
        assert os.access(ROOT / script, os.X_OK), f"{script} cannot be run"


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files(page: str) -> None:
    folder = (ROOT / page).parent
    for target in re.findall(r"\]\(([^)#:]+)\)", page_text(page)):
        assert (folder / target).exists(), f"{page}: {target} is not there"
