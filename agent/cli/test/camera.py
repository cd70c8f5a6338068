"""`diemcau test camera`: a still to look at, in a file and in the terminal, and its figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from agent.cli.session import session_of
from agent.cli.still import draw_still
from agent.cli.test.bench import conclude, kept_or_gone, site_of, use
from agent.diagnostics.bench.protocol import CameraResult
from agent.diagnostics.checks.camera import judge
from agent.diagnostics.client import DaemonClient
from agent.errors import AgentError
from agent.locale import gettext as _

DRAWN_COLUMNS, DRAWN_ROWS = 64, 18
"""Fits below a prompt in 80 x 24; each row draws two lines of the picture."""

LOOK_SECONDS = 2.0


def camera(
    context: typer.Context,
    out: Annotated[Path | None, typer.Option(help=_("where the still goes (PNG)"))] = None,
    draw: Annotated[bool, typer.Option(help=_("draw it in the terminal"))] = True,
) -> None:
    """In a meeting, the picture that is sent; otherwise the camera itself."""
    session = session_of(context)
    site = site_of(session)
    result = None
    session.console.print(_("Looking at the picture ..."))
    with kept_or_gone(out, "still.png") as path:
        if site.daemon.in_meeting:
            _snapshot(session.client, path)
        else:
            result = use(site, "camera", LOOK_SECONDS, CameraResult, str(path))
        if draw and session.console.is_terminal:
            draw_still(session, path, DRAWN_COLUMNS, DRAWN_ROWS)
    if out is not None:
        session.console.print(_("The still is in {path}").format(path=path))
    if result is not None:
        conclude(session, judge(result))
    else:
        session.console.print(_("This is what the meeting sees of the room."), style="ok")


def _snapshot(client: DaemonClient, path: Path) -> None:
    """The daemon writes it to a folder of its own: taken from there. Raises AgentError."""
    written = client.snapshot("sent")
    try:
        path.touch(mode=0o600)
        path.write_bytes(written.read_bytes())
        written.unlink()
    except OSError as error:
        text = _("The picture may not be taken from {path}; use sudo").format(path=written)
        raise AgentError("no-rights", text) from error
