"""The `diemcau` command.

`run` starts the daemon and is dispatched before typer and rich are imported, because the daemon
must never hold them in memory; everything else is for people at a terminal.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
from pathlib import Path

from agent import locale
from agent.runtime.lean import lean_imports

DEFAULT_CONFIG = Path("/etc/diemcau/agent.yaml")

_WITH_VALUE = ("--config", "--lang")
_FLAGS = ("--no-color",)


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    general, rest = split(sys.argv[1:] if arguments is None else arguments)
    language = locale.choose(_value("--lang", general), os.environ)
    if rest == ["run"] and general[-1:] not in ([option] for option in _WITH_VALUE):
        return _run(_value("--config", general), language)
    # All else is the parser's, also what is wrong with `run`. The help texts are made while the
    # commands are imported: the language comes first.
    locale.use(language)
    from agent.cli.app import run_tool

    return run_tool(general + rest)


def split(arguments: list[str]) -> tuple[list[str], list[str]]:
    """The options that every command knows, which the parser wants at the front, and the rest.

    `diemcau status --config FILE` and `diemcau --config FILE status` are the same.
    """
    general: list[str] = []
    rest: list[str] = []
    pending = iter(arguments)
    for argument in pending:
        if argument == "--":
            rest += [argument, *pending]
        elif argument in _WITH_VALUE:
            general += [argument, *itertools.islice(pending, 1)]
        elif argument in _FLAGS or argument.startswith(tuple(f"{o}=" for o in _WITH_VALUE)):
            general.append(argument)
        else:
            rest.append(argument)
    return general, rest


def _value(option: str, arguments: list[str]) -> str | None:
    """What an option is given; the last one counts."""
    value = None
    pending = iter(arguments)
    for argument in pending:
        if argument == option:
            value = next(pending, "")
        elif argument.startswith(f"{option}="):
            value = argument.removeprefix(f"{option}=")
    return value


def _run(config: str | None, language: str) -> int:
    """Be the daemon. It speaks to people only when it cannot start, and has no catalog in memory before."""
    path = Path(config or os.environ.get("DIEMCAU_CONFIG") or DEFAULT_CONFIG)
    with lean_imports():
        bootstrap = importlib.import_module("agent.runtime.bootstrap")
    code: int = bootstrap.run(
        path, lambda text: print(locale.sayer(language)(text), file=sys.stderr)
    )
    return code
