"""`diemcau report`: one archive for support, listed before it is written."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli.asking import confirm
from agent.cli.output import hanging
from agent.cli.session import Session, examples, session_of
from agent.errors import AgentError
from agent.locale import gettext as _

if TYPE_CHECKING:
    from agent.diagnostics.bundle.contents import Item

NAME_COLUMNS = 15


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(
        help=_("One archive for support, without secrets"),
        epilog=examples("diemcau report", "diemcau report --yes --out /tmp/room.tar.gz"),
    )(report)


def report(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help=_("the archive's name"))] = None,
    yes: Annotated[bool, typer.Option("--yes", help=_("don't ask"))] = False,
) -> None:
    """Ask first at a terminal; the doctor in it makes no sound."""
    from agent.diagnostics.bundle import archive, contents
    from agent.diagnostics.bundle.redaction import Redactor, known_secrets
    from agent.diagnostics.site import inspect

    session = session_of(context)
    site = inspect(session.config_path, session.client_if_any)
    room = site.sections.room.id if site.sections.room else "room"
    name = f"diemcau-{room}-{datetime.now():%Y%m%d-%H%M%S}"
    path = (out or Path(f"{name}.tar.gz")).absolute()
    if not os.access(path.parent, os.W_OK):  # said before the doctor has taken its time
        text = _("{folder}: no such folder, or not permitted; name another with --out")
        raise AgentError("no-archive", text.format(folder=path.parent))
    items = contents.items(site)
    _list(session, path, items)
    if not yes and sys.stdin.isatty() and not confirm(_("Write it?"), default=True):
        raise typer.Exit(1)
    redactor = Redactor(known_secrets(session.config_path, site.sections))
    files = {}
    for item in items:
        if session.console.is_terminal:
            session.console.print(f"  {item.name} ...", style="quiet")
        files[item.name] = redactor.clean(item.make())
    try:
        size = archive.write(path, name, files)
    except OSError as error:
        text = _("{path} can't be written: {error}").format(path=path, error=error.strerror)
        raise AgentError("no-archive", text) from error
    session.console.print(
        _("{path} is written, {size} kB").format(path=path, size=size // 1000 + 1)
    )


def _list(session: Session, path: Path, items: list[Item]) -> None:
    session.console.print(_("{path} will hold, without secrets:").format(path=path))
    for item in items:
        head = ((f"  {item.name:<{NAME_COLUMNS}}", ""),)
        session.console.print(hanging(session.console.width, head, item.what, "quiet"))
