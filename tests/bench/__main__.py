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


def pieces() -> dict[str, ModuleType]:
    """All modules that measure something, by name."""
    names = [name for _, name, _ in pkgutil.iter_modules(tests.bench.__path__)]
    modules = {n: importlib.import_module(f"tests.bench.{n}") for n in names if n != "__main__"}
    return {name: module for name, module in modules.items() if hasattr(module, "measure")}


def chosen(found: dict[str, ModuleType], wanted: list[str], long: bool) -> list[ModuleType]:
    """The modules to run. Raises SystemExit naming an unknown one."""
    if unknown := set(wanted) - set(found):
        sys.exit(f"no such piece: {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    if wanted:
        return [found[name] for name in wanted]
    return [module for module in found.values() if long or not _long(module)]


def _long(module: ModuleType) -> bool:
    return getattr(module, "LONG", False)


def listing(found: dict[str, ModuleType]) -> str:
    """A line for each piece: its name and the first sentence of what it says of itself."""
    width = max(map(len, found))
    lines = []
    for name, module in found.items():
        summary = (module.__doc__ or "").partition("\n")[0]
        lines.append(f"  {name:{width}}  {summary}{' (--long)' if _long(module) else ''}")
    return "\n".join(["pieces:", *lines])


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
    found = pieces()
    parser = argparse.ArgumentParser(
        prog="scripts/bench",
        description=tests.bench.__doc__,
        epilog=listing(found),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--long", action="store_true", help="the pieces that take long, too")
    parser.add_argument("--json", action="store_true", help="one JSON object a row, for programs")
    parser.add_argument("piece", nargs="*", help="run only these")
    arguments = parser.parse_args()
    held = True
    if not arguments.json:
        print(LINE.format(*HEADINGS).rstrip(), flush=True)
    for piece in chosen(found, arguments.piece, arguments.long):
        for row in piece.measure():
            held = held and row.held
            judged = asdict(row) | {"ratio": row.ratio, "held": row.held}
            print(json.dumps(judged) if arguments.json else line(row), flush=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
