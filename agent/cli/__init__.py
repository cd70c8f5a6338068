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
    general, rest = split(sys.argv[1:] if arguments is None else arguments)
    if rest[:1] == ["run"] and not {"-h", "--help"} & set(rest):
        return _run(general + rest[1:])
    arguments = general + rest
    # The help texts are made while the commands are imported: the language comes first.
    locale.use(locale.choose(_wanted_language(arguments), os.environ))
    from agent.cli.app import run_tool

    return run_tool(arguments)


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
    parser.add_argument("--config", type=Path)
    parser.add_argument("--lang")
    parser.add_argument("--no-color", action="store_true")
    given = parser.parse_args(arguments)
    config_path: Path = given.config or Path(os.environ.get("DIEMCAU_CONFIG") or DEFAULT_CONFIG)
    locale.use(locale.choose(given.lang, os.environ))
    bootstrap = importlib.import_module("agent.runtime.bootstrap")
    code: int = bootstrap.run(
        config_path, lambda text: print(locale.translate(text), file=sys.stderr)
    )
    return code
