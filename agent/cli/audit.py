"""`diemcau audit`: who asked for what, when the camera and the microphone were open."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import words
from agent.cli.moments import past_moment
from agent.cli.output import hanging
from agent.cli.session import examples, session_of
from agent.core.model.commands import AckState
from agent.locale import gettext as _
from agent.settings import Store

if TYPE_CHECKING:
    from agent.store.history import Record


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(
        help=_("Who asked for what, and when camera and microphone were open"),
        epilog=examples(
            "diemcau audit --devices -n 500",
            "diemcau audit --since 07:00",
            "diemcau audit --since 2026-01-31 --json",
        ),
    )(audit)


def audit(
    context: typer.Context,
    *,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help=_("at most so many"))] = 100,
    since: Annotated[
        str | None,
        typer.Option(help=_("from when on: 07:00, 2026-01-31 or 2026-01-31T07:00")),
    ] = None,
    devices: Annotated[
        bool, typer.Option("--devices", help=_("camera and microphone opened and closed, only"))
    ] = False,
    json: Annotated[bool, typer.Option("--json", help=_("for programs"))] = False,
) -> None:
    """Oldest first."""
    from agent.config import read_file
    from agent.store.history import history

    session = session_of(context)
    store = read_file(session.config_path, check_files=False).sections.of(Store) or Store()
    begin = past_moment(since, datetime.now().astimezone()) if since else None
    records = history(store.path, lines, since=begin, openings_only=devices)
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(records).decode())
        return
    for record in records:
        head = ((f"{record.at.astimezone():%d/%m/%Y %H:%M:%S} ", "quiet"),)
        session.console.print(hanging(session.console.width, head, _told(record)))


def _told(record: Record) -> str:
    who = f" [{words.sender(record.who)}]" if record.who else ""
    ended = words.ack_state(AckState(record.state)) if record.state else ""
    said = [words.audited(record.what) + who, ended, words.text(record.text)]
    return ": ".join(filter(None, said))
