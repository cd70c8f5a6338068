"""scripts/setup on a machine that is ready, and on machines where it cannot do its work."""

import os
import subprocess
import time
from pathlib import Path

SETUP = Path(__file__).parents[2] / "scripts" / "setup"


def run_setup(folder: Path, commands: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a copy of setup in `folder` where `commands` (name -> shell script) stand before the system's."""
    (folder / "scripts").mkdir()
    copy = folder / "scripts" / "setup"
    copy.write_bytes(SETUP.read_bytes())
    stand_ins = folder / "bin"
    stand_ins.mkdir()
    for name, body in commands.items():
        (stand_ins / name).write_text(f"#!/bin/sh\n{body}\n")
        (stand_ins / name).chmod(0o755)
    return subprocess.run(
        ["/bin/sh", str(copy)],
        env={**os.environ, "PATH": f"{stand_ins}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_machine_that_is_ready_is_left_alone_in_no_time() -> None:
    subprocess.run([SETUP], timeout=600, check=True)
    started = time.monotonic()
    run = subprocess.run([SETUP], capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 0
    assert "installing" not in run.stdout
    assert time.monotonic() - started < 10, "a real look at all packages takes a minute"


def test_what_apt_does_not_have_is_named(tmp_path: Path) -> None:
    run = run_setup(
        tmp_path, {"dpkg-query": "exit 1", "id": "echo 0", "apt-get": "echo nothing >&2; exit 100"}
    )
    assert run.returncode == 1
    assert "still missing" in run.stderr
    assert "mosquitto" in run.stderr
    assert "gir1.2-gst-plugins-bad-1.0" in run.stderr


def test_where_sudo_refuses_only_what_is_missing_is_named(tmp_path: Path) -> None:
    only_one_missing = (
        'for name; do case $name in -*|shellcheck) ;; *) echo "$name installed";; esac; done'
    )
    refusing = {"dpkg-query": only_one_missing, "id": "echo 1000", "sudo": "exit 127"}
    run = run_setup(tmp_path, refusing)
    assert run.returncode == 1
    assert "shellcheck" in run.stderr
    assert "mosquitto" not in run.stderr


def test_a_venv_made_elsewhere_is_left_as_it_is(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / ".venv").symlink_to(elsewhere)
    everything_there = 'for name; do case $name in -*) ;; *) echo "$name installed";; esac; done'
    run = run_setup(tmp_path, {"dpkg-query": everything_there})
    assert run.returncode == 0
    assert str(elsewhere) in run.stdout
    assert not list(elsewhere.iterdir())
