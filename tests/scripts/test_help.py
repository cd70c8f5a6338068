"""Who asks a script what it does is told, and nothing is done."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


@pytest.mark.parametrize(
    "name", ["setup", "install", "build-deb", "test-system", "test-vm", "test-power-cuts"]
)
def test_a_script_says_what_it_does(name: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [SCRIPTS / name, "--help"],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    heading = (SCRIPTS / name).read_text("utf-8").splitlines()[1].removeprefix("# ")
    assert done.stdout.startswith(heading)
    assert done.stderr == ""
    assert "set -e" not in done.stdout
