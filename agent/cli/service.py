"""The installed systemd service, as the technician's tool starts it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from agent.errors import AgentError

SERVICE = "diemcau-agent.service"
START_SECONDS = 200.0
"""The unit's own TimeoutStartSec is 180."""


def start_service() -> None:
    """Enable and (re)start it; returns when it is READY. Raises AgentError with the reason."""
    _need_systemd()
    _systemctl("enable", SERVICE)
    _systemctl("restart", SERVICE)


def reload_service() -> None:
    """Have it start anew once the room is in no meeting. Raises AgentError with the reason."""
    _need_systemd()
    _systemctl("reload", SERVICE)


def _need_systemd() -> None:
    if not Path("/run/systemd/system").is_dir():
        raise AgentError("no-systemd", "systemd does not run here; use --no-start")


def _systemctl(verb: str, unit: str) -> None:
    command = ["systemctl", "--quiet", verb, unit]
    try:
        done = subprocess.run(
            command, check=False, capture_output=True, text=True, timeout=START_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AgentError("service-failed", f"systemctl {verb} {unit}: {error}") from error
    if done.returncode != 0:
        reason = done.stderr.strip() or f"exit code {done.returncode}"
        text = f"systemctl {verb} {unit}: {reason}\nsee: journalctl -u {unit} -n 20"
        raise AgentError("service-failed", text)
