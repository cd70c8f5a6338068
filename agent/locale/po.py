"""Reads a gettext catalog in its written form (.po): the part of the format that ours use.

Comments, msgid, msgid_plural, msgstr and msgstr[0] (Vietnamese has one form for any number);
no contexts. Entries marked fuzzy count as not translated.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ESCAPE = re.compile(r"\\(.?)")
ESCAPED = {"n": "\n", "t": "\t", '"': '"', "\\": "\\"}


def read_catalog(path: Path) -> dict[str, str]:
    """msgid -> msgstr, without the header. A missing or broken file raises OSError, ValueError."""
    entries: dict[str, str] = {}
    for block in _blocks(path.read_text(encoding="utf-8")):
        fields = _fields(block)
        message = fields.get("msgstr") or fields.get("msgstr[0]") or ""
        if fields.get("msgid") and message:
            entries[fields["msgid"]] = message
    return entries


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of each entry: from its comments, or its msgid, to its last msgstr."""
    for block in re.split(r'\n\n|(?<=")\n(?=msgid )', text):
        lines = block.splitlines()
        if not any(line.startswith("#,") and "fuzzy" in line for line in lines):
            yield [line for line in lines if line and not line.startswith("#")]


def _fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    keyword = ""
    for line in lines:
        if line.startswith('"'):
            fields[keyword] += _text(line)
        else:
            keyword, text = line.split(" ", 1)
            fields[keyword] = _text(text)
    return fields


def _text(quoted: str) -> str:
    """What stands between the quotation marks."""
    inner = quoted.strip()
    if len(inner) < 2 or not inner.startswith('"') or not inner.endswith('"'):
        raise ValueError(f"not a text in quotation marks: {quoted}")
    try:
        return ESCAPE.sub(lambda escape: ESCAPED[escape[1]], inner[1:-1])
    except KeyError as error:
        raise ValueError(f"an unknown escape \\{error.args[0]} in {quoted}") from error
