"""`diemcau rooms`: every room of the hub on one screen, worst first, from the broker alone.

Exit code 0 if all are well, 1 if one is not, 2 if the hub can't be reached.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import typer

from agent.cli.meeting import Config, Json
from agent.cli.session import examples, session_of
from agent.conductor.core.model.views import RoomView
from agent.conductor.listening import Listening
from agent.conductor.settings import DEFAULT_PATH, load
from agent.locale import gettext as _

if TYPE_CHECKING:
    from rich.table import Table

from typing import Annotated

REFRESH_SECONDS = 0.5


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    text = _("Every room of the hub on one screen, worst first")
    app.command("rooms", help=text, epilog=examples("diemcau rooms --watch"))(rooms)


def rooms(
    context: typer.Context,
    watch: Annotated[bool, typer.Option(help=_("keep it live"))] = False,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Rooms."""
    settings = load(conductor, check_files=False)
    with Listening(settings) as listening:
        listening.wait()
        if watch:
            _watch(context, listening)
            return
        views = listening.rooms()
    if json:
        print(msgspec.json.format(msgspec.json.encode(views)).decode())
    else:
        session_of(context).console.print(_table(views))
    if any(view.severity for view in views):
        raise typer.Exit(1)


def _watch(context: typer.Context, listening: Listening) -> None:
    from rich.live import Live

    with Live(_table(listening.rooms()), console=session_of(context).console) as live:
        try:
            while True:
                time.sleep(REFRESH_SECONDS)
                live.update(_table(listening.rooms()))
        except KeyboardInterrupt:
            return


def _table(views: list[RoomView]) -> Table:
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for heading in (_("room"), _("groups"), _("link"), _("phase"), _("ready"), _("what is wrong")):
        table.add_column(heading)
    for view in views:
        table.add_row(
            view.name,
            ", ".join(view.groups),
            _link(view.connection),
            view.phase + (f" {view.meeting}" if view.meeting else ""),
            view.readiness,
            "; ".join(view.faults),
            style=("ok", "warning", "failed")[view.severity],
        )
    return table


def _link(connection: str) -> str:
    return {
        "online": _("connected"),
        "offline": _("switched off"),
        "lost": _("lost"),
    }.get(connection, _("never seen"))
