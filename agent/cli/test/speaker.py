"""`diemcau test speaker`: a tone for the ears, then a chirp that the microphone must hear."""

from __future__ import annotations

from typing import Annotated

import typer

from agent.cli.session import session_of
from agent.cli.test.bench import conclude, devices_of, site_of, use
from agent.diagnostics.bench.protocol import LoopResult, PlayResult
from agent.diagnostics.checks.speaker import judge, no_air_between
from agent.diagnostics.report import skipped
from agent.locale import gettext as _


def speaker(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=0.5, max=30, help=_("the tone's length"))] = 2,
) -> None:
    """The room's sound is mono: left and right of a television play the same."""
    session = session_of(context)
    site = site_of(session)
    session.console.print(
        _("A tone for {seconds:g} seconds: do you hear it?").format(seconds=seconds)
    )
    use(site, "tone", seconds, PlayResult)
    if devices_of(site).microphone is None or no_air_between(devices_of(site)):
        return
    session.console.print(_("Now a chirp, for the microphone."))
    found = judge(use(site, "loop", 1, LoopResult))
    conclude(
        session,
        found
        or skipped(
            "speaker-unheard",
            _("The microphone is not good enough to hear it; see: diemcau test microphone"),
        ),
    )
