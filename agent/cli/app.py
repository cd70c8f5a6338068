"""The command line's tree: every command, and what they have in common.

Parsing only; what a command does is in the module of its noun.
"""

from __future__ import annotations

import importlib.util
import io
import os
import shutil
import sys
import textwrap
from collections.abc import Sequence
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from agent import __version__
from agent.cli import DEFAULT_CONFIG, library_words
from agent.cli.session import Session
from agent.errors import AgentError
from agent.locale import gettext as _
from agent.locale import translate

NOUNS: dict[str, Sequence[str]] = {
    "status": ("status", "watch"),
    "doctor": ("doctor",),
    "test": ("test",),
    "room": ["join", "leave", "mute", "unmute", "volume", "display",
             "identify", "record", "ping", "restart"],
    "taking_part": ("raise", "lower", "call", "show", "hide", "check"),
    "config": ("config",),
    "logs": ("logs",),
    "audit": ("audit",),
    "report": ("report",),
    "setup": ("setup",),
    "agenda": ("agenda",),
    "hub": ("hub",),
    "meeting": ("meeting",),
    "rooms": ("rooms",),
}  # fmt: skip
"""Module of this package -> its commands, in the order of --help.

Only the modules that a command line may need are imported: half a second matters on a Pi.
"""

INTERRUPTED = 130
"""Exit code of a program that ended by ^C, as shells have it."""

HUBS = ("meeting", "rooms")
"""Nouns that come with the package diemcau-hub."""


def make_app(arguments: list[str]) -> typer.Typer:
    """The commands that these arguments may be about; all of them if that isn't plain."""
    app = typer.Typer(
        name="diemcau",
        help=_("The technician's tool for a meeting room. Start with: diemcau doctor"),
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    )
    app.callback()(general)
    app.command(help=_("Start the daemon; systemd does this. Same as: python -m agent run"))(run)
    named = [noun for noun, commands in NOUNS.items() if set(commands) & set(arguments)]
    for noun in named or NOUNS:
        if noun in HUBS and importlib.util.find_spec("agent.conductor") is None:
            continue
        importlib.import_module(f"agent.cli.{noun}").add_to(app)
    return app


class Language(StrEnum):
    """What the tool speaks."""

    VI = "vi"
    EN = "en"


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"diemcau {__version__}")
        raise typer.Exit


def general(
    context: typer.Context,
    config_path: Annotated[
        Path, typer.Option("--config", envvar="DIEMCAU_CONFIG", help=_("the settings file"))
    ] = DEFAULT_CONFIG,
    lang: Annotated[
        Language | None,
        typer.Option("--lang", help=_("language: vi or en; otherwise as LANG says")),
    ] = None,
    no_color: Annotated[bool, typer.Option("--no-color", help=_("no colours"))] = False,
    version: Annotated[
        bool,
        typer.Option("--version", help=_("say the version"), callback=_say_version, is_eager=True),
    ] = False,
) -> None:
    """What every command takes; `main` lets these options stand anywhere in the line."""
    context.obj = Session(config_path, no_color)


def run(context: typer.Context) -> None:
    """Here for --help and completion only: `main` starts the daemon without coming this way."""
    raise typer.Exit(2)


def run_tool(arguments: list[str]) -> int:
    """Run one command line; returns its exit code. What could not be done at all gives 2."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without our letters gets "?"
    library_words.speak()
    try:
        app = make_app(arguments)
        code = app(args=arguments, prog_name="diemcau", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except KeyboardInterrupt:  # also while its modules are still being loaded
        print(f"\n{_('Aborted!')}", file=sys.stderr)
        return INTERRUPTED
    except AgentError as error:
        _complain(f"diemcau: {translate(error.text)}")
        return 2
    except Exception as error:  # a technician can do nothing with a traceback
        if hasattr(error, "format_message"):
            _complain(library_words.told(error))
            return 2
        if isinstance(error, typer.Abort):
            print(f"\n{_('Aborted!')}", file=sys.stderr)
            return 1
        if "DIEMCAU_DEBUG" in os.environ:
            raise
        text = _("A mistake in the tool itself: {error}. DIEMCAU_DEBUG=1 shows more.")
        _complain(f"diemcau: {text.format(error=repr(error))}")
        return 2


def _complain(text: str) -> None:
    """On a terminal no word is torn apart at its edge; elsewhere a line stays a line."""
    lines = text.splitlines()
    if sys.stderr.isatty():
        wrap = partial(
            textwrap.fill,
            width=shutil.get_terminal_size().columns,
            subsequent_indent="  ",
            break_on_hyphens=False,
            break_long_words=False,
        )
        lines = [line if line.startswith(" ") else wrap(line) for line in lines]
    print(*lines, sep="\n", file=sys.stderr)
