"""The machine as its administrator sees it: packages, units, journal, processes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

PACKAGE = Path("/share/diemcau-agent.deb")
CHECKOUT = Path("/share/checkout")
SERVICE = "diemcau-agent.service"
OUT = Path("/share/out")


def run(*command: str, check: bool = True, **options: Any) -> str:
    """Standard output of a command; its error output is in the failure."""
    done = subprocess.run(
        command, check=False, text=True, capture_output=True, timeout=300, **options
    )
    assert not check or done.returncode == 0, (
        f"{' '.join(command)}: exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
    )
    return done.stdout


def keep_figure(what: str, figure: float) -> None:
    """Add a line to the figures in the output folder."""
    with (OUT / "figures").open("a") as figures:
        figures.write(f"{what}: {figure:.4g}\n")


def succeeds(*command: str) -> bool:
    return subprocess.run(command, check=False, capture_output=True, timeout=300).returncode == 0


def unit(name: str, unit_name: str = SERVICE) -> str:
    """A unit's property, such as ActiveState or MainPID."""
    return run("systemctl", "show", "--value", "--property", name, unit_name).strip()


def main_pid() -> int:
    return int(unit("MainPID"))


def children(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in path.read_text().split()] if path.exists() else []


def journal(*matches: str) -> list[dict[str, Any]]:
    """Entries of the journal since boot, oldest first, with all their fields."""
    text = run("journalctl", "--boot", "--output=json", "--quiet", *matches)
    return [json.loads(line) for line in text.splitlines()]


def installed() -> bool:
    return succeeds("dpkg-query", "--show", "diemcau-agent") and "installed" in run(
        "dpkg-query", "--show", "--showformat=${Status}", "diemcau-agent"
    )


def install(package: Path = PACKAGE) -> None:
    """Without the network: what the package depends on is there."""
    run(
        "apt-get", "install", "--yes", "--no-install-recommends", "--allow-downgrades", str(package)
    )
