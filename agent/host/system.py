"""Reading small files of /proc and /sys, below a root that tests can replace."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


class System:
    """The file system below `root`; what is not there or cannot be read is None."""

    def __init__(self, root: Path = Path("/")) -> None:
        self.root = root

    def read(self, path: str) -> str | None:
        """The text of the file, stripped. `path` starts with /."""
        try:
            text = (self.root / path.lstrip("/")).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None
        return text.strip("\x00 \n\t")

    def number(self, path: str, base: int = 10) -> int | None:
        """The whole number that the file holds."""
        try:
            return int(self.read(path) or "", base)
        except ValueError:
            return None

    def exists(self, path: str) -> bool:
        return (self.root / path.lstrip("/")).exists()

    def paths(self, pattern: str) -> Iterator[str]:
        """Paths that match the glob pattern, sorted."""
        for found in sorted(self.root.glob(pattern.lstrip("/"))):
            yield "/" + str(found.relative_to(self.root))
