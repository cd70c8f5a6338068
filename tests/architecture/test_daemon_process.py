"""What the daemon's process loads to start, seen in a real one: nothing heavy, nothing of the tool."""

from __future__ import annotations

import subprocess
from pathlib import Path

from tests.architecture.source import ROOT
from tests.support.installed import (
    NEVER_IN_THE_DAEMON,
    PYTHON,
    SHOW_IMPORTS,
    as_installed,
    imported,
)


def test_the_daemon_does_not_load_what_it_never_uses(tmp_path: Path) -> None:
    """One that finds no settings has loaded all of its own modules. At rest: tests/process/test_daemon.py."""
    started = subprocess.run(
        [*PYTHON, "-m", "agent", "run", "--config", str(tmp_path / "nowhere.yaml")],
        cwd=ROOT,
        env=as_installed(tmp_path) | SHOW_IMPORTS | {"LC_ALL": "vi_VN.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert started.returncode == 2, started.stderr[-2000:]
    assert "sudo diemcau setup" in started.stderr
    loaded = imported(started.stderr)
    assert {"agent.runtime.loop", "paho.mqtt.client", "msgspec", "yaml"} <= loaded
    assert loaded & NEVER_IN_THE_DAEMON == set()


def test_what_is_kept_from_the_daemon_s_libraries_is_there_for_others(tmp_path: Path) -> None:
    """A driver's library may need them for real."""
    show = (
        "import sys\n"
        "from agent.runtime.lean import lean_imports\n"
        "with lean_imports():\n"
        "    import paho.mqtt.client, msgspec\n"
        "assert 'http.client' not in sys.modules\n"
        "import typing_extensions, urllib.request\n"
        "print(urllib.request.getproxies()['http'], typing_extensions.TypedDict.__name__)\n"
    )
    done = subprocess.run(
        [*PYTHON, "-c", show],
        cwd=ROOT,
        env=as_installed(tmp_path) | {"http_proxy": "http://proxy:3128"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.stdout.split() == ["http://proxy:3128", "TypedDict"], done.stderr
