"""The `diemcau` command as a shell starts it."""

import re
import subprocess
import sys

import pytest

from agent import locale
from agent.cli import app, library_words, split
from tests.config.english import left_in_english


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


def test_an_interrupt_while_it_loads_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a slow board the first second is spent there."""

    def interrupted(arguments: list[str]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(app, "make_app", interrupted)
    assert app.run_tool(["status"]) == app.INTERRUPTED
    assert "Aborted!" in capsys.readouterr().err


@pytest.mark.parametrize(
    "line",
    [
        "volume cao",
        "volume 300",
        "jion x",
        "hub group x",
        "status --jsn",
        "join",
        "join a b",
        "display maybe",
        "--lang fr status",
        "audit --since",
        "audit --since x",
        "audit -n 0",
        "config explain nosuch",
        "config set nosuch 1",
        "agenda add x --starts 7 --to group/all",
        "--config none.yaml status",
        "--config none.yaml config check",
    ],
)
def test_a_mistyped_line_is_told_in_vietnamese(
    line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Put together at run time by the library and by us: a look at the source can't judge it."""
    locale.use("vi")
    try:
        assert app.run_tool(line.split()) != 0
    finally:
        locale.use("en")
    said = "".join(capsys.readouterr())
    assert said
    assert not left_in_english(re.sub(r"'[^']*'", "", said)), said


@pytest.mark.parametrize("group", [[], ["hub"], ["meeting"], ["join"]])
def test_the_help_is_in_vietnamese(group: list[str]) -> None:
    said = diemcau("--lang", "vi", *group, "--help").stdout
    assert not left_in_english(re.sub(r"(?m)'[^']*'|^  [a-z-]+ ", "", said)), said


def test_the_help_of_debian_13s_library_reads_the_same() -> None:
    """typer 0.15.2 with click 8.1.8; later ones write `<str>` and leave brackets as they are."""
    written = (
        "  MEETING  the meeting's id  \\[required]\n"
        "  --title TEXT              its title, TEXT too\n"
        "  --minutes INTEGER RANGE   how long  \\[default: 60; 1<=x<=1440]\n"
        "  --timeout FLOAT           seconds\n"
        "  --plan PATH               the file\n"
    )
    assert library_words.in_our_words(written) == (
        "  MEETING  the meeting's id  [required]\n"
        "  --title <text>            its title, TEXT too\n"
        "  --minutes <number>        how long  [default: 60; 1<=x<=1440]\n"
        "  --timeout <number>        seconds\n"
        "  --plan <file>             the file\n"
    )
