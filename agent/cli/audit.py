"""`diemcau audit`: who asked for what, when the camera and the microphone were open."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli.output import hanging
from agent.cli.session import examples, session_of
from agent.locale import gettext as _
from agent.settings import Store


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(
        help=_("Who asked for what, and when camera and microphone were open"),
        epilog=examples("diemcau audit", "diemcau audit --devices -n 500"),
    )(audit)


def audit(
    context: typer.Context,
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help=_("at most so many"))] = 100,
    devices: Annotated[
        bool, typer.Option("--devices", help=_("camera and microphone opened and closed, only"))
    ] = False,
) -> None:
    """Oldest first."""
    from agent.config import read_file
    from agent.store.history import history

    session = session_of(context)
    store = read_file(session.config_path, check_files=False).sections.of(Store) or Store()
    for record in history(store.path, lines, openings_only=devices):
        who = f" [{record.who}]" if record.who else ""
        head = ((f"{record.at.astimezone():%d/%m/%Y %H:%M:%S} ", "quiet"),)
        text = f"{record.what}{who}: {record.text}"
        session.console.print(hanging(session.console.width, head, text))
