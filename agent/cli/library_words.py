"""The command line's library (typer, with click in it) made to speak the reader's language.

It has no catalog in Vietnamese, and some versions no way to give it one; its words are looked up in ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any

import typer

from agent import locale

WORDS_OF_HELP = (
    "Usage:",
    "Options:",
    "Arguments:",
    "Commands:",
    "Show this message and exit.",
    "Install completion for the current shell.",
    "Show completion for the current shell, to copy it or customize the installation.",
    "[OPTIONS]",
    "COMMAND [ARGS]...",
    "env var:",
    "default:",
    "required",
)
"""They stand in the help as they are; the others below are messages, found again by their pattern."""

WORDS = (
    *WORDS_OF_HELP,
    "Try '{command}' for help.",
    "No such command {name}.",
    "No such command {name}. Did you mean {meant}?",
    "No such option: {name}",
    "No such option: {name} Did you mean {meant}?",
    "No such option: {name} (Possible options: {choices})",
    "Option {name} does not take a value.",
    "Argument {name} takes {count} values.",
    "Missing command.",
    "Missing argument {name}",
    "Missing argument {name}.",
    "Missing option {name}.",
    "Invalid value: {message}",
    "Invalid value for {name}: {message}",
    "Option {name} requires an argument.",
    "Got unexpected extra argument(s) ({args})",
    "Got unexpected extra argument ({args})",
    "Got unexpected extra arguments ({args})",
    "Did you mean {meant}?",
    "{value} is not one of {choices}.",
    "{value} is not a valid {kind}.",
    "{value} is not in the range {range}.",
    "Input should be less than or equal to {n}",
    "Input should be greater than or equal to {n}",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid number, unable to parse string as a number",
    "Aborted!",
)


KINDS_OF_VALUES = {
    "number": r"<(?:int|float)(?: range)?>|(?<=[a-z] )(?:INTEGER|FLOAT)(?: RANGE)?\b",
    "text": r"<(?:list\[str\]|str)>|(?<=[a-z] )TEXT\b",
    "file": r"<path>|(?<=[a-z] )PATH\b",
}
"""What people call the types that the library shows behind an option: `<str>` in later versions, TEXT in Debian 13's."""


def speak() -> None:
    """From now on the help of every command is in the language that `locale.use` chose."""
    for kind in (typer.core.TyperCommand, typer.core.TyperGroup):
        if not hasattr(kind.get_help, "in_our_words"):
            kind.get_help = _in_our_words(kind.get_help)  # type: ignore[method-assign, assignment]


def _in_our_words(get_help: Callable[[Any, Any], str]) -> Callable[[Any, Any], str]:
    def translated(command: Any, context: Any) -> str:
        return in_our_words(get_help(command, context))

    translated.in_our_words = True  # type: ignore[attr-defined]
    return translated


def in_our_words(text: str) -> str:
    """A command's help as the library wrote it. Debian 13's escapes brackets for a library that is not asked to print it."""
    text = _said(text.replace("\\[", "["))
    for word, pattern in KINDS_OF_VALUES.items():
        text = re.sub(rf"(?:{pattern}) *", partial(_as_wide, f"<{locale.gettext(word)}>"), text)
    return text


def _said(text: str) -> str:
    for word in WORDS_OF_HELP:
        if locale.gettext(word) == word:
            continue
        broken = r"\s+".join(
            map(re.escape, word.split(" "))
        )  # the library may have begun a line in it
        text = re.sub(rf"(?<![\w-]){broken}", lambda _: locale.gettext(word), text)  # noqa: B023
    return text


def _as_wide(word: str, found: re.Match[str]) -> str:
    """What stands in columns stays there."""
    return word.ljust(len(found[0])) if found[0].endswith(" ") else word


def told(error: Any) -> str:
    """A mistake in the command line, in the reader's language: how it is used, then what was wrong."""
    if type(error).__name__ == "NoArgsIsHelpError":
        return str(error.format_message())  # the whole help
    lines = []
    if getattr(error, "ctx", None) is not None:
        lines.append(_said(error.ctx.get_usage()))
        hint = locale.gettext("Try '{command}' for help.")
        lines.append(hint.format(command=f"{error.ctx.command_path} -h"))
    said = re.sub(r"Value (?:error), ", "", error.format_message())  # for programmers
    lines.append(f"diemcau: {locale.translate(said)}")
    return "\n".join(lines)
