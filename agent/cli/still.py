"""A picture drawn in the terminal, as `diemcau test camera` and `diemcau setup` show what a camera sees."""

from __future__ import annotations

from pathlib import Path

from agent.cli.session import Session


def draw_still(session: Session, path: Path, columns: int, rows: int) -> None:
    """The PNG at `path` in half blocks: the upper pixel is the foreground, the lower one the background."""
    from rich.text import Text

    from agent.diagnostics.bench.film import thumbnail

    pixels = thumbnail(path, columns, 2 * rows)
    for upper, lower in zip(pixels[::2], pixels[1::2], strict=True):
        line = Text()
        for above, below in zip(upper, lower, strict=True):
            if session.console.no_color:
                line.append(" .:-=+*#%@"[sum(above) * 10 // (3 * 256)])
            else:
                line.append(
                    "▀",
                    style=f"rgb({','.join(map(str, above))}) on rgb({','.join(map(str, below))})",
                )
        session.console.print(line)
