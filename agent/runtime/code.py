"""The agent's code on disk: still what this daemon runs, or replaced by an upgrade meanwhile?

A media process is started from what is on disk; an old daemon and a new media process need not understand each
other.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import agent


class InstalledCode:
    """Made when the daemon starts; `replaced` compares with that moment."""

    def __init__(self, file: str | None = agent.__file__) -> None:
        self._file = Path(str(file))
        self._identity = self._identity_now()

    def replaced(self) -> bool:
        """Whether another file stands there: dpkg writes each one anew, of whatever version."""
        found = self._identity_now()
        return found is not None and found != self._identity

    def _identity_now(self) -> tuple[int, int] | None:
        with suppress(OSError):
            found = self._file.stat()
            return found.st_ino, found.st_ctime_ns
        return None
