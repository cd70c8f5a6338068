"""Text from outside, made harmless for whoever shows it."""

from __future__ import annotations

import unicodedata

_OBEYED = {"Cc", "Cs", "Zl", "Zp"}
_TURNS = set("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str, instead: str) -> str:
    """With `instead` for each letter that shows nothing by itself (`str.isprintable`): nothing is moved or merged."""
    return text if text.isprintable() else "".join(c if c.isprintable() else instead for c in text)


def clean(text: str) -> str:
    """Without what a terminal, a screen or a log would obey instead of showing: control characters, line and paragraph
    separators, and the marks that turn the direction of writing (Unicode TR 36, 2.1)."""
    if text.isprintable():  # as nearly all are; letter by letter a full agenda took 30 ms
        return " ".join(text.split())
    kept = "".join(" " if unicodedata.category(c) in _OBEYED or c in _TURNS else c for c in text)
    return " ".join(kept.split())
