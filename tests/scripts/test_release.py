"""One version, one changelog: what the package says is what CHANGELOG.md says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from agent import __version__
from tests.architecture.source import ROOT

CONVERTER = ROOT / "scripts/lib/debian_changelog.py"
DATE = "Sat, 28 Nov 2026 07:15:00 +0700"


def converted(version: str) -> str:
    return subprocess.run(
        [sys.executable, CONVERTER, "diemcau-agent", version, "A B <a@b.example>", DATE],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_newest_section_is_the_agents_version() -> None:
    first, _, rest = converted(__version__).partition("\n")
    assert first == f"diemcau-agent ({__version__}) trixie; urgency=medium"
    assert "tests" not in rest.splitlines()[1]
    assert "diemcau-agent (0.1.0)" in rest, "older versions follow"


def test_dpkg_reads_it(tmp_path) -> None:
    file = tmp_path / "changelog"
    file.write_text(converted("9.9+next"))
    shown = subprocess.run(
        ["dpkg-parsechangelog", "-l", file, "--all"], capture_output=True, text=True, check=True
    )
    assert "Version: 9.9+next" in shown.stdout
    assert shown.stderr == ""


@pytest.mark.parametrize("page", ["docs/install.md"])
def test_pages_name_the_version_that_is_built(page: str) -> None:
    assert f"_{__version__}_all.deb" in (ROOT / page).read_text("utf-8")
