"""A Python that finds only what the package depends on, as in a room; a developer's finds more, and imports it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

NOT_INSTALLED = ("dns", "socks")
"""What paho-mqtt imports where it is at hand (4 MB of dnspython): tools of the tests bring it, the package does not."""

PYTHON = (sys.executable, "-S")
"""Without `site`, which in a developer's environment loads what no installed package has (editable packages)."""


def as_installed(folder: Path) -> dict[str, str]:
    """The environment of a daemon that finds only what its package depends on."""
    hidden = folder / "not-installed"
    hidden.mkdir(exist_ok=True)
    for name in NOT_INSTALLED:
        (hidden / f"{name}.py").write_text("raise ImportError('not installed')\n")
    found = [str(hidden), *(entry for entry in sys.path if entry)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found)}
