"""Every command explains itself, with examples that are real, in 80 columns; the man page has all."""

from __future__ import annotations

import io
import re
import shlex
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer.main

from agent import __version__
from agent.cli.app import NOUNS, make_app
from agent.locale import LANGUAGES
from tests.cli.test_command_line import diemcau

MAN_PAGE = Path(__file__).parents[2] / "scripts/deb/diemcau.1"


@cache
def whole() -> Any:
    """All commands, made once: that is what takes long."""
    return typer.main.get_command(make_app([]))


@cache
def commands() -> tuple[tuple[str, ...], ...]:
    """Every command by its words, groups included."""
    return ((), *_below(whole(), ()))


def _below(group: object, words: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for name, command in getattr(group, "commands", {}).items():
        yield (*words, name)
        yield from _below(command, (*words, name))


@cache
def help_of(words: tuple[str, ...]) -> str:
    with redirect_stdout(io.StringIO()) as said:
        code = whole().main([*words, "--help"], prog_name="diemcau", standalone_mode=False)
    assert not code, said.getvalue()
    return said.getvalue()


def test_the_list_of_nouns_has_every_command() -> None:
    """A command that is missing there would not be found."""
    named = {command for commands in NOUNS.values() for command in commands}
    assert named | {"run"} == {words[0] for words in commands() if len(words) == 1}


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_help_fits_and_has_examples_that_are_real(words: tuple[str, ...]) -> None:
    text = help_of(words)
    assert max(map(len, text.splitlines())) <= 80
    group = any(other[: len(words)] == words and other != words for other in commands())
    examples = re.findall(r"^ +(?:sudo )?diemcau (.*)$", text, re.MULTILINE)
    if not group and words != ("run",):
        assert examples
    for example in examples:
        given = shlex.split(re.split(r" [>|] ", example)[0])
        assert tuple(given[: len(words)]) == words
        options = {word.split("=")[0] for word in given if word.startswith("--")}
        assert options <= set(re.findall(r"--[a-z-]+", text + help_of(()))), example


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lists_of_commands_say_all_of_it(language: str) -> None:
    for group in ((), ("test",), ("config",), ("hub",)):
        done = diemcau("--lang", language, *group, "--help")
        cut = [line for line in done.stdout.splitlines()[1:] if line.endswith("...")]
        assert cut == []


def test_the_man_page_names_every_command() -> None:
    text = MAN_PAGE.read_text().replace("\\-", "-")
    for words in commands():
        assert " ".join(words) in text, f"{' '.join(words)} is not in {MAN_PAGE.name}"


def test_it_says_its_version() -> None:
    assert diemcau("--version").stdout == f"diemcau {__version__}\n"


def test_a_language_that_it_does_not_speak_is_an_error() -> None:
    done = diemcau("--lang", "fr", "status")
    assert done.returncode == 2
    assert "fr" in done.stderr


def test_diemcau_alone_shows_its_help() -> None:
    done = diemcau()
    assert "doctor" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_word_that_is_no_command_is_an_error() -> None:
    done = diemcau("docter")
    assert done.returncode == 2
    assert "docter" in done.stderr


def test_the_commands_of_the_technicians_page_exist() -> None:
    page = (MAN_PAGE.parents[2] / "docs/technician.md").read_text("utf-8")
    shown = re.findall(
        r"^ +(?:sudo )?diemcau ([a-z -]+)$|`(?:sudo )?diemcau ([a-z ]+)`", page, re.MULTILINE
    )
    assert len(shown) > 10
    for words in {tuple((one or other).split()) for one, other in shown}:
        assert words in commands(), words
