"""The agent itself: does it run, does it answer, and what does systemd say about it?"""

from __future__ import annotations

import shutil
import subprocess
import sys

from agent import __version__
from agent.diagnostics.report import Finding, failed, ok, timed, unchecked, warning
from agent.diagnostics.site import Presence, Site
from agent.ipc.patience import patience
from agent.locale import gettext as _

UNIT = "diemcau-agent.service"
SYSTEMCTL_SECONDS = 5.0

RESTARTS = 3
"""More restarts by systemd since the machine started: something is not right."""


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    return [*_word_size(sys.maxsize), *_service(site)]


def _word_size(largest: int) -> list[Finding]:
    """The kernel's structures for cameras are written down for 64 bit only (`devices/camera/v4l2_structures.py`)."""
    if largest > 2**32:
        return []
    return [
        failed(
            "service-32-bit",
            _("This is a 32-bit system; the agent needs a 64-bit one"),
            advice=_("Write Raspberry Pi OS (64-bit) to the card and install anew"),
        )
    ]


def _service(site: Site) -> list[Finding]:
    unit = _unit()
    match site.daemon.presence:
        case Presence.UP:
            return _running(site, unit)
        case Presence.HUNG:
            return [_hung(site)]
        case Presence.CLOSED:
            text = _("Could not be checked: the agent may not be asked by this user")
            return [unchecked("service-closed", text)]
        case Presence.DOWN:
            return [_down(site, unit)]


def _running(site: Site, unit: dict[str, str]) -> list[Finding]:
    assert site.daemon.status is not None
    agent = site.daemon.status.state.agent
    evidence = _("version {version}, running since {since}").format(
        version=agent.version, since=agent.started.astimezone().strftime("%d/%m %H:%M")
    )
    found = [ok("service-ok", _("The agent runs"), evidence)]
    if agent.version != __version__:
        found.append(
            warning(
                "service-old-version",
                _("The agent that runs is another version than the one installed"),
                f"{agent.version}, {__version__}",
                advice=_(
                    "It takes over after the meeting. Else: sudo systemctl reload diemcau-agent"
                ),
            )
        )
    restarts = int(unit.get("NRestarts") or 0)
    if restarts > RESTARTS:
        found.append(
            warning(
                "service-restarts",
                _("The agent was restarted {n} times").format(n=restarts),
                advice=_("See why: diemcau logs --errors"),
            )
        )
    return found


def _hung(site: Site) -> Finding:
    found = failed(
        "service-hung",
        _("The agent runs but does not answer"),
        site.daemon.text,
        _("It hangs"),
        _("sudo systemctl restart diemcau-agent; then send the output of: diemcau report"),
    )
    return timed(found)


def _down(site: Site, unit: dict[str, str]) -> Finding:
    state = unit.get("ActiveState", "")
    evidence = f"{UNIT}: {state} ({unit.get('Result', '')})" if state else site.daemon.text
    if site.problems:
        cause = _("The settings are broken: see above")
    elif unit.get("UnitFileState") == "disabled":
        cause = _("It is not switched on to start with the box")
    else:
        cause = _("It was stopped, or it could not start")
    return failed(
        "service-down",
        _("The agent does not run"),
        evidence,
        cause,
        _("sudo systemctl enable --now diemcau-agent; then: diemcau logs"),
    )


def _unit() -> dict[str, str]:
    """What systemd knows about the service; nothing on a machine without it."""
    program = shutil.which("systemctl")
    if program is None:
        return {}
    names = "ActiveState,Result,NRestarts,UnitFileState,LoadState"
    try:
        answer = subprocess.run(
            [program, "show", UNIT, f"--property={names}"],
            capture_output=True,
            text=True,
            timeout=patience(SYSTEMCTL_SECONDS),
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return {}
    unit = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    return unit if unit.get("LoadState") == "loaded" else {}
