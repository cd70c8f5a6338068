"""`diemcau logs`: the agent's journal, filtered and readable."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

import typer

from agent.cli.output import hanging
from agent.cli.session import Session, examples, session_of
from agent.errors import AgentError
from agent.locale import gettext as _

UNIT = "diemcau-agent.service"
ERRORS_PRIORITY = "4"
"""Warnings and worse (syslog(3))."""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(
        help=_("What the agent wrote into the journal"),
        epilog=examples(
            "diemcau logs",
            "diemcau logs --errors --since today",
            "diemcau logs --follow",
            "diemcau logs --grep camera --since 07:00",
        ),
    )(logs)


def logs(
    context: typer.Context,
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help=_("at most so many"))] = 100,
    errors: Annotated[bool, typer.Option("--errors", help=_("warnings and errors only"))] = False,
    since: Annotated[
        str | None, typer.Option(help=_("from when on: 07:00, today, '1 hour ago'"))
    ] = None,
    grep: Annotated[str | None, typer.Option(help=_("only lines with this in them"))] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help=_("go on as new ones come; end with Ctrl-C"))
    ] = False,
) -> None:
    """Oldest first."""
    session = session_of(context)
    program = shutil.which("journalctl")
    if program is None:
        raise AgentError(
            "no-journal", _("journalctl is not there; the agent writes to its console")
        )
    command = [program, "-u", UNIT, "-o", "json", "--no-pager", "-n", str(lines)]
    command += ["-p", ERRORS_PRIORITY] if errors else []
    command += ["--since", since] if since else []
    command += ["--grep", grep] if grep else []
    command += ["--follow"] if follow else []
    some = False
    for entry in _entries(command):
        _show(session, entry)
        some = True
    if not some:
        text = _("No such lines")
        if os.geteuid():
            text = _("No lines; others may not read them all: sudo diemcau logs")
        session.console.print(text, style="quiet")


def _entries(command: list[str]) -> Iterator[dict[str, Any]]:
    """The journal's entries as they come. Raises AgentError with journalctl's own complaint."""
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as journal:
        assert journal.stdout is not None
        assert journal.stderr is not None
        try:
            for line in journal.stdout:
                yield json.loads(line)
        except KeyboardInterrupt:
            return
        finally:
            journal.terminate()
        complaint = journal.stderr.read().strip()
        if complaint and "No entries" not in complaint:
            raise AgentError("no-journal", complaint)


def _show(session: Session, entry: dict[str, Any]) -> None:
    at = datetime.fromtimestamp(int(entry.get("__REALTIME_TIMESTAMP", 0)) / 1e6)
    priority = int(entry.get("PRIORITY", 6))
    style = "failed" if priority <= 3 else "warning" if priority == 4 else ""
    message = entry.get("MESSAGE")
    text = message if isinstance(message, str) else bytes(message or []).decode(errors="replace")
    head = ((f"{at:%d/%m %H:%M:%S} ", "quiet"),)
    session.console.print(hanging(session.console.width, head, text, style))
