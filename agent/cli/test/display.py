"""`diemcau test display`: the relay off and on, what is connected, and a test picture."""

from __future__ import annotations

import shutil
import subprocess
import time
from typing import Annotated

import typer

from agent.cli.room import send
from agent.cli.session import Session, session_of
from agent.cli.test.bench import devices_of, refuse_in_meeting, site_of
from agent.diagnostics.checks.display import all_connectors, connected
from agent.diagnostics.edid import read_edid
from agent.diagnostics.site import Presence, Site
from agent.errors import AgentError
from agent.locale import gettext as _
from agent.settings import Devices

OFF_SECONDS = 3.0
PICTURE_SECONDS = 5

SINKS = {"kms": "kmssink", "window": "autovideosink"}


def display(
    context: typer.Context,
    picture: Annotated[bool, typer.Option(help=_("show a test picture"))] = True,
) -> None:
    """Not in a meeting."""
    session = session_of(context)
    site = site_of(session)
    devices = devices_of(site)
    refuse_in_meeting(site)
    if devices.display.relay is not None:
        _switch(session, site, devices)
    _show_connectors(session, site)
    if picture and devices.display.output.driver in SINKS:
        _show_picture(session, devices)
    if devices.display.relay is not None and _was_off(site):
        send(session, "display", power="off")


def _was_off(site: Site) -> bool:
    """A test must not leave a display on that nobody will switch off."""
    return site.daemon.status is not None and site.daemon.status.state.display == "off"


def _switch(session: Session, site: Site, devices: Devices) -> None:
    session.console.print(_("The display goes off, and on again: do you hear the relay click?"))
    if site.daemon.presence is Presence.UP:
        send(session, "display", power="off")
        time.sleep(OFF_SECONDS)
        send(session, "display", power="on")
    else:
        _switch_ourselves(devices)


def _switch_ourselves(devices: Devices) -> None:
    """Without a daemon nobody holds the relay. Raises DeviceError."""
    from agent.devices import registry

    assert devices.display.relay is not None
    relay = registry.relay(devices.display.relay, devices.simulation)
    relay.open(None)
    try:
        relay.switch(False)
        time.sleep(OFF_SECONDS)
        relay.switch(True)
    finally:
        relay.close()


def _show_connectors(session: Session, site: Site) -> None:
    drm = site.path("/sys/class/drm")
    plugged = connected(drm)
    for name, folder in all_connectors(drm).items():
        text = _("nothing connected")
        if name in plugged:
            facts = read_edid((folder / "edid").read_bytes())
            text = _("a display that does not say what it is")
            if facts is not None:
                text = f"{facts.maker} {facts.name}, {facts.width}x{facts.height}"
        session.console.print(f"{name}: {text}")
    if not all_connectors(drm):
        session.console.print(_("This machine has no display connector"))


def _show_picture(session: Session, devices: Devices) -> None:
    """Colour bars by GStreamer's own tool: the display's path without the agent. Raises AgentError."""
    program = shutil.which("gst-launch-1.0")
    if program is None:
        session.console.print(_("No test picture: gst-launch-1.0 is not installed"))
        return
    session.console.print(_("Colour bars for {seconds} seconds.").format(seconds=PICTURE_SECONDS))
    sink = SINKS[devices.display.output.driver]
    source = f"videotestsrc num-buffers={30 * PICTURE_SECONDS} ! video/x-raw,framerate=30/1"
    done = subprocess.run(
        [program, "-q", *f"{source} ! videoconvert ! videoscale ! {sink}".split()],
        capture_output=True,
        text=True,
        timeout=PICTURE_SECONDS + 15,
        check=False,
    )
    if done.returncode:
        text = _("The test picture could not be shown: {error}")
        raise AgentError("no-picture", text.format(error=done.stderr.strip()[:200]))
