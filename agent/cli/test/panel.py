"""`diemcau test lamp` and `diemcau test button`: the panel, by the daemon or, without one, directly."""

from __future__ import annotations

import queue
import time
from typing import Annotated

import typer

from agent.cli.room import send
from agent.cli.session import Session, session_of
from agent.cli.test.bench import devices_of, refuse_in_meeting, site_of
from agent.diagnostics.site import Presence, Site
from agent.errors import AgentError
from agent.locale import gettext as _
from agent.ports import Panel

LOOK_SECONDS = 0.2
PRESSED = "mute-pressed"
"""The event that the daemon tells of a press, in a meeting or not."""


def lamp(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=1, max=60, help=_("how long it blinks"))] = 5,
) -> None:
    """With a daemon this is `identify`."""
    session = session_of(context)
    site = site_of(session)
    session.console.print(_("The lamp blinks: do you see it?"))
    if site.daemon.presence is Presence.UP:
        send(session, "identify", seconds=seconds)
        return
    panel = _panel(site)
    panel.open(lambda pressed: None)
    try:
        panel.lamp("blink")
        time.sleep(seconds)
    finally:
        panel.close()


def button(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=1, max=300, help=_("how long to wait"))] = 30,
) -> None:
    """Exit code 1 if it was not pressed. Not in a meeting, where a press unmutes a muted room."""
    session = session_of(context)
    site = site_of(session)
    refuse_in_meeting(site)
    text = _("Press the mute button now; waiting {seconds:g} seconds.")
    session.console.print(text.format(seconds=seconds))
    asked = site.daemon.presence is Presence.UP
    pressed = _ask_daemon(session, seconds) if asked else _wait_ourselves(site, seconds)
    if not pressed:
        session.console.print(_("Nothing came: check the button and its wires"), style="failed")
        raise typer.Exit(1)
    session.console.print(_("The button works"), style="ok")


def _ask_daemon(session: Session, seconds: float) -> bool:
    """Whether the daemon tells of a press that was not there before."""
    before = _presses(session)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if _presses(session) - before:
            return True
        time.sleep(LOOK_SECONDS)
    return False


def _presses(session: Session) -> set[str]:
    status = session.client.status()
    return {event.at.isoformat() for event in status.faults if event.type == PRESSED}


def _wait_ourselves(site: Site, seconds: float) -> bool:
    presses: queue.SimpleQueue[bool] = queue.SimpleQueue()
    panel = _panel(site)
    panel.open(presses.put)
    try:
        return presses.get(timeout=seconds)
    except queue.Empty:
        return False
    finally:
        panel.close()


def _panel(site: Site) -> Panel:
    from agent.devices import registry

    devices = devices_of(site)
    if devices.panel is None:
        raise AgentError("device-absent", _("This room has no panel (devices.panel)"))
    refuse_in_meeting(site)
    return registry.panel(devices.panel, devices.simulation)
