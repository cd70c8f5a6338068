"""What the tests of the devices share: the site, a device borrowed, a finding shown."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import typer

from agent.cli.findings import show_finding
from agent.cli.session import Session
from agent.diagnostics.bench.borrow import borrow
from agent.diagnostics.bench.protocol import Level, Request, Result, Task
from agent.diagnostics.haste import fair
from agent.diagnostics.report import Finding, Outcome
from agent.diagnostics.site import Site, inspect
from agent.errors import AgentError
from agent.locale import gettext as _
from agent.settings import Devices

R = TypeVar("R", bound=Result)


def site_of(session: Session) -> Site:
    """The room, as it is now."""
    return inspect(session.config_path, session.client_if_any)


def devices_of(site: Site) -> Devices:
    """The devices of the settings. Raises AgentError if they can't be read."""
    if site.sections.devices is None:
        raise AgentError("bad-settings", _("The settings can't be read; see: diemcau config check"))
    return site.sections.devices


def refuse_in_meeting(site: Site) -> None:
    """Raises AgentError while a meeting needs the devices."""
    if site.devices_needed():
        raise AgentError("in-meeting", _("Not now: the room is in a meeting"))


@contextmanager
def kept_or_gone(out: Path | None, name: str) -> Iterator[Path]:
    """Where a still or a recording goes: `out`, or a folder of its own that is gone at the end.

    Either way nobody else on the machine can read it. Raises AgentError if `out` can't be written.
    """
    if out is None:
        with tempfile.TemporaryDirectory(prefix="diemcau-") as folder:
            yield Path(folder) / name
        return
    path = out.absolute()
    try:
        path.touch(mode=0o600)
        path.chmod(0o600)
    except OSError as error:
        text = _("{path} can't be written: {error}").format(path=path, error=error.strerror)
        raise AgentError("not-written", text) from error
    yield path


def use(
    site: Site,
    task: Task,
    seconds: float,
    expected: type[R],
    file: str = "",
    on_level: Callable[[Level], None] = lambda level: None,
) -> R:
    """Try a device out, the lamp lit and the audit written. Raises AgentError, also in a meeting."""
    refuse_in_meeting(site)
    request = Request(task, devices_of(site), seconds, file)
    result = borrow(site, request, on_level)
    assert isinstance(result, expected)
    return result


def conclude(session: Session, *findings: Finding) -> None:
    """Show what came of it; exit code 1 if something failed."""
    judged = fair(findings)
    for finding in judged:
        show_finding(session, finding)
    if any(finding.outcome is Outcome.FAILED for finding in judged):
        raise typer.Exit(1)
