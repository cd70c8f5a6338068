"""`diemcau test all`: every test in turn; what one finds does not keep the others from running."""

from __future__ import annotations

from collections.abc import Callable

import typer

from agent.cli.session import Session, session_of
from agent.cli.test import camera, display, hub, media, microphone, panel, speaker
from agent.errors import AgentError
from agent.locale import gettext as _
from agent.locale import translate


def everything(context: typer.Context) -> None:
    """Exit code 1 if any of them failed."""
    session = session_of(context)
    tests: list[tuple[str, Callable[[], None]]] = [
        (_("camera"), lambda: camera.camera(context)),
        (_("microphone"), lambda: microphone.microphone(context)),
        (_("loudspeaker"), lambda: speaker.speaker(context)),
        (_("display"), lambda: display.display(context)),
        (_("lamp"), lambda: panel.lamp(context)),
        (_("button"), lambda: panel.button(context)),
        (_("hub"), lambda: hub.hub(context)),
        (_("media"), lambda: media.media(context)),
    ]
    failed = [name for name, test in tests if not _passed(session, name, test)]
    if failed:
        text = _("Not in order: {names}").format(names=", ".join(failed))
        session.console.print(text, style="failed")
        raise typer.Exit(1)
    session.console.print(_("Everything is in order"), style="ok")


def _passed(session: Session, name: str, test: Callable[[], None]) -> bool:
    session.console.print(f"\n== {name}", style="heading")
    try:
        test()
    except typer.Exit as end:
        return end.exit_code == 0
    except AgentError as error:
        session.console.print(translate(error.text), style="failed")
        return False
    return True
