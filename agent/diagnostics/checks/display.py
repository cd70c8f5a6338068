"""The display: its relay, and the connector that its picture goes out of.

Nothing is switched; the relay is judged by its driver and the display by what the kernel sees.
"""

from __future__ import annotations

from pathlib import Path

from agent.diagnostics.checks import trouble
from agent.diagnostics.checks.device import preliminary
from agent.diagnostics.report import Finding, ok, skipped, warning
from agent.diagnostics.site import Site
from agent.locale import gettext as _
from agent.settings import Devices
from agent.settings.display import by_likelihood

EDID_BYTES = 128
"""A display says what it is in blocks of this size (VESA E-EDID)."""


def check(site: Site) -> list[Finding]:
    """See `agent.diagnostics.runner.Check`."""
    devices = site.sections.devices
    if devices is None or (devices.display.relay is None and site.unreadable("display")):
        return preliminary(site, "display", False) or []
    return [*_relay(site, devices), *_output(site, devices)]


def _relay(site: Site, devices: Devices) -> list[Finding]:
    if devices.display.relay is None:
        text = _("No relay in the settings: the display is always on")
        return [skipped("display-no-relay", text)]
    found = preliminary(site, "display", True)
    return found or [ok("display-relay-ok", _("The display's relay is there"))]


def _output(site: Site, devices: Devices) -> list[Finding]:
    if devices.display.output.driver != "kms":
        return []
    connectors = connected(site.path("/sys/class/drm"))
    wanted = devices.display.output.connector
    if not connectors or (wanted and wanted not in connectors):
        where = wanted or ", ".join(all_connectors(site.path("/sys/class/drm"))) or _("none")
        evidence = _("connector: {where}; connected: {connected}").format(
            where=where, connected=", ".join(connectors) or _("none")
        )
        if _is_off(site):
            text = _("Not seen: the display is off; see it with: diemcau test display")
            return [skipped("display-off", text)]
        return [trouble.describe("display", "unconnected", evidence)]
    name = wanted or next(iter(connectors))
    if connectors[name] < EDID_BYTES:
        return [
            warning(
                "display-no-edid",
                _("The display does not say what it can show"),
                _("connector {name}: no EDID").format(name=name),
                _("A bad HDMI cable or adapter"),
                _("Unplug the HDMI cable, plug it in again; try another cable"),
            )
        ]
    return [ok("display-ok", _("A display is connected"), name)]


def _is_off(site: Site) -> bool:
    """A display without power may look as if it were not connected."""
    status = site.daemon.status
    return status is not None and status.state.display == "off"


def all_connectors(drm: Path) -> dict[str, Path]:
    """The connectors by the kernel's names, such as HDMI-A-1, the likeliest first."""
    found = {
        folder.name.split("-", 1)[1]: folder
        for folder in drm.glob("card*-*")
        if (folder / "status").exists()
    }
    return dict(sorted(found.items(), key=lambda one: by_likelihood(one[0])))


def connected(drm: Path) -> dict[str, int]:
    """The connectors with a display, and the size of its EDID in bytes."""
    return {
        name: len(_read(folder / "edid"))
        for name, folder in all_connectors(drm).items()
        if _read(folder / "status").strip() == b"connected"
    }


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
