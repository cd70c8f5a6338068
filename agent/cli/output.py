"""Text laid out for 80 columns: what goes on in the next line stands under its beginning."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.text import Text

NARROWEST = 20
"""Columns that a text gets in any terminal."""


def hanging(width: int, head: tuple[tuple[str, str], ...], text: str, style: str = "") -> Text:
    """`head` (texts with styles), then `text` wrapped to `width`, its further lines indented."""
    from rich.text import Text

    line = Text.assemble(*head)
    indent = line.cell_len
    wrapped = textwrap.wrap(text, max(NARROWEST, width - indent), break_on_hyphens=False)
    line.append(("\n" + " " * indent).join(wrapped), style=style)
    if not text:
        line.rstrip()
    return line
