"""The `diemcau` command as a shell starts it."""

import subprocess
import sys

import pytest

from agent.cli import split


def diemcau(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agent", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (["status", "--config", "f"], ["--config", "f", "status"]),
        (["join", "--lang=vi", "x"], ["--lang=vi", "join", "x"]),
        (["join", "--", "--lang", "x"], ["join", "--", "--lang", "x"]),
        (["status", "--config"], ["--config", "status"]),
    ],
)
def test_general_options_may_stand_anywhere(given: list[str], expected: list[str]) -> None:
    general, rest = split(given)
    assert general + rest == expected


def test_without_a_daemon_a_command_says_so_and_exits_with_2(tmp_path) -> None:
    config = tmp_path / "agent.yaml"
    config.write_text(f"control: {{socket: {tmp_path}/control.sock}}\n")
    done = diemcau("ping", "--config", str(config))
    assert done.returncode == 2
    assert f"{tmp_path}/control.sock: no daemon answers there" in done.stderr
    assert "Traceback" not in done.stderr


def test_run_imports_neither_typer_nor_rich(tmp_path) -> None:
    """The daemon's process must not hold the tool's libraries in memory."""
    program = (
        "import sys, agent.cli\n"
        "try: agent.cli.main(['run', '--config', '/nonexistent.yaml'])\n"
        "except BaseException: pass\n"
        "print(sorted({'typer', 'rich', 'click'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
