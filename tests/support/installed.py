"""A Python that finds only what the package depends on, as in a room; a developer's finds more, and imports it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

PYTHON = (sys.executable, "-S")
"""Without `site`, which in a developer's environment loads what no installed package has (editable packages)."""

NOT_INSTALLED = ("dns", "socks")
"""What paho-mqtt imports where it is at hand (4 MB of dnspython): tools of the tests bring it, the package does not."""

NEVER_IN_THE_DAEMON = frozenset(
    {
        *("gi", "picamera2", "libcamera", "av", "numpy"),  # the media process's
        *("rich", "typer", "click", "argparse", "psutil"),  # the tool's
        *(
            "asyncio",
            "dataclasses",
            "inspect",
            "ast",
        ),  # dataclasses' and typing_extensions', half a megabyte
        *("http.client", "email.message", "tempfile", "shutil", "bz2", "lzma"),  # urllib.request's
    }
)
"""Each costs memory in every room for months: docs/decisions/021-what-libraries-bring-along.md."""

SHOW_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
"""Has Python write a line to stderr for each module that it loads; `imported` reads them."""


def as_installed(folder: Path) -> dict[str, str]:
    """The environment of a daemon that finds only what its package depends on."""
    hidden = folder / "not-installed"
    hidden.mkdir(exist_ok=True)
    for name in NOT_INSTALLED:
        (hidden / f"{name}.py").write_text("raise ImportError('not installed')\n")
    found = [str(hidden), *(entry for entry in sys.path if entry)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(found)}


def imported(log: str) -> set[str]:
    """The modules and their packages that the log of a process with SHOW_IMPORTS tells of: all but those that
    `importlib.import_module` was asked for itself."""
    names = re.findall(r"^import time: .*\| +([\w.]+)$", log, re.MULTILINE)
    return {
        ".".join(parts[: length + 1])
        for parts in (name.split(".") for name in names)
        for length in range(len(parts))
    }
