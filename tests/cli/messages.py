"""Every message of the source that has to be in a language's catalog.

`python -m tests.cli.messages vi` prints the entries that a catalog lacks, ready to be filled in.
"""

from __future__ import annotations

import ast
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from agent import locale
from agent.config.schema import all_keys, description_of
from agent.locale.po import read_catalog
from agent.settings import Settings

ROOT = Path(__file__).parents[2]
SPEAKING = ("cli", "diagnostics")
"""Packages of agent/ that speak to people."""

MARKERS = ("_", "gettext", "ngettext")


def messages() -> dict[str, str | None]:
    """msgid -> msgid_plural or None."""
    found: dict[str, str | None] = {}
    for package in SPEAKING:
        for path in sorted((ROOT / "agent" / package).rglob("*.py")):
            found |= dict(_in_source(ast.parse(path.read_text("utf-8"))))
    found |= {description_of(field): None for field in all_keys(Settings).values()}
    return found


def _in_source(tree: ast.AST) -> Iterator[tuple[str, str | None]]:
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
            continue
        if node.func.id in MARKERS:
            texts = [a.value for a in node.args if isinstance(a, ast.Constant)]
            texts = [text for text in texts if isinstance(text, str)]
            if texts:
                yield texts[0], texts[1] if len(texts) > 1 else None


def main(language: str) -> None:
    known = read_catalog(locale.path(language))
    for message, plural in messages().items():
        if message not in known:
            print(f"\nmsgid {json.dumps(message, ensure_ascii=False)}")
            if plural:
                print(f"msgid_plural {json.dumps(plural, ensure_ascii=False)}")
            print("msgstr[0]" if plural else "msgstr", '""')


if __name__ == "__main__":
    main(sys.argv[1])
