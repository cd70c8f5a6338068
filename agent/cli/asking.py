"""Questions at a terminal, in the reader's language to the last word: the library's own are in English."""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Callable
from typing import TypeVar

import typer

from agent.errors import AgentError, ConfigError
from agent.locale import gettext as _
from agent.locale import translate

Answer = TypeVar("Answer")
YES = ("y", "yes", "c", "có", "co")
NO = ("n", "no", "k", "không", "khong")


def ask(question: str, read: Callable[[str], Answer], default: str = "") -> Answer:
    """What `read` makes of the answer, or of `default` for an empty one.

    Asked again where `read` raises an AgentError, after its text. Raises typer.Abort for ^C and the end of input.
    """
    shown = f"{question} [{default}]" if default else question
    while True:
        answer = typer.prompt(shown, default="", show_default=False).strip()
        try:
            return read(answer or default)
        except ConfigError as error:
            _say(translate("\n".join(dict.fromkeys(error.problems))))
        except AgentError as error:
            _say(translate(error.text))


def _say(text: str) -> None:
    for line in text.splitlines():
        width = shutil.get_terminal_size().columns
        typer.echo(
            textwrap.fill(f"- {line}", width, subsequent_indent="  ", break_on_hyphens=False)
        )


def confirm(question: str, *, default: bool) -> bool:
    """Yes or no, in Vietnamese or English whatever the language is. Raises typer.Abort as `ask` does."""
    both = _("[Y/n]") if default else _("[y/N]")

    def read(answer: str) -> bool:
        if not answer:
            return default
        if answer.lower() not in (*YES, *NO):
            raise AgentError("bad-answer", _("answer with y for yes or n for no"))
        return answer.lower() in YES

    return ask(f"{question} {both}", read)
