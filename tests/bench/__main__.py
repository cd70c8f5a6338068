"""`./scripts/bench`: runs the pieces and prints one table.

A piece is a module of this package with `measure() -> list[Row]`; one with `LONG = True` runs only
with --long. Exits 1 when a promise did not hold.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
from dataclasses import asdict
from types import ModuleType

import tests.bench
from tests.bench.row import Row

HEADINGS = ("what", "figure", "bare", "ratio", "limit", "")
LINE = "{:<39.39} {:>12} {:>9} {:>6} {:>6} {:<4}"


def pieces(wanted: list[str], long: bool) -> list[ModuleType]:
    """The modules to run, by name. Raises SystemExit naming an unknown one."""
    names = [name for _, name, _ in pkgutil.iter_modules(tests.bench.__path__)]
    modules = [importlib.import_module(f"tests.bench.{n}") for n in names if n != "__main__"]
    found = {m.__name__.rpartition(".")[2]: m for m in modules if hasattr(m, "measure")}
    if unknown := set(wanted) - set(found):
        sys.exit(f"no such piece: {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    if wanted:
        return [found[name] for name in wanted]
    return [module for module in found.values() if long or not getattr(module, "LONG", False)]


def number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"


def line(row: Row) -> str:
    return LINE.format(
        row.what,
        f"{number(row.figure)} {row.unit}",
        number(row.reference),
        number(row.ratio),
        "" if row.limit is None else (">=" if row.at_least else "<=") + number(row.limit),
        "" if row.limit is None else "ok" if row.held else "MISS",
    ).rstrip()


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=tests.bench.__doc__)
    parser.add_argument("--long", action="store_true", help="the pieces that take long, too")
    parser.add_argument("--json", action="store_true", help="one JSON object a row, for programs")
    parser.add_argument("piece", nargs="*", help="run only these")
    arguments = parser.parse_args()
    held = True
    if not arguments.json:
        print(LINE.format(*HEADINGS).rstrip(), flush=True)
    for piece in pieces(arguments.piece, arguments.long):
        for row in piece.measure():
            held = held and row.held
            judged = asdict(row) | {"ratio": row.ratio, "held": row.held}
            print(json.dumps(judged) if arguments.json else line(row), flush=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
