"""What the daemon's process loads, seen in a real interpreter: nothing heavy, nothing of the CLI."""

from __future__ import annotations

import json
import subprocess
import sys

from tests.architecture.source import ROOT

HEAVY = {
    "gi",
    "picamera2",
    "libcamera",
    "rich",
    "typer",
    "click",
    "av",
    "numpy",
    "asyncio",
    "psutil",
}

SHOW_MODULES = """
import json, sys
import agent.runtime.bootstrap
print(json.dumps(sorted({name.partition(".")[0] for name in sys.modules})))
"""


def test_the_daemon_does_not_load_what_belongs_to_the_media_process_or_the_cli() -> None:
    shown = subprocess.run(
        [sys.executable, "-c", SHOW_MODULES],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    ).stdout
    loaded = set(json.loads(shown))
    assert "paho" in loaded or "agent" in loaded
    assert loaded & HEAVY == set()
