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

DEFAULT_CONFIG = Path("/etc/diemcau/agent.yaml")

_WITH_VALUE = ("--config", "--lang")
_FLAGS = ("--no-color",)


def main(arguments: list[str] | None = None) -> int:
    """Run one command line; returns the exit code."""
    given = sys.argv[1:] if arguments is None else arguments
    if given[:1] == ["run"] and not {"-h", "--help"} & set(given):
        return _run(given[1:])
    arguments = hoist(given)
    # The help texts are made while the commands are imported: the language comes first.
    locale.use(locale.choose(_wanted_language(arguments), os.environ))
    from agent.cli.app import run_tool

    return run_tool(arguments)


def hoist(arguments: list[str]) -> list[str]:
    """Move the options that every command knows to the front, where the parser wants them.

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
    return general + rest


def _wanted_language(arguments: list[str]) -> str | None:
    for place, argument in enumerate(arguments):
        if argument.startswith("--lang="):
            return argument.removeprefix("--lang=")
        if argument == "--lang":
            return "".join(arguments[place + 1 : place + 2])
    return None


def _run(arguments: list[str]) -> int:
    import argparse

    parser = argparse.ArgumentParser(prog="diemcau run")
    parser.add_argument("--config", type=Path, default=DEFAULT_CONFIG)
    config_path: Path = parser.parse_args(arguments).config
    code: int = importlib.import_module("agent.runtime.bootstrap").run(config_path)
    return code
