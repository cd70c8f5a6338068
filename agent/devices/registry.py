"""From settings to drivers, and who is there without opening anything.

Each driver's module has `create` and `probe`. It is imported, and its library with it, when the
settings name it: a machine without picamera2 starts all the same.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import cast

from msgspec import structs

from agent import ports, settings
from agent.core.model.documents import DeviceStatus, Status
from agent.devices import status
from agent.devices.display import connector
from agent.errors import DeviceError

Wanted = settings.Camera | settings.Microphone | settings.Speaker | settings.Relay | settings.Panel


def camera(wanted: settings.Camera, simulation: settings.Simulation) -> ports.Camera:
    """The camera, not yet opened. Raises DeviceError when the driver's library is missing."""
    return cast(ports.Camera, _driver("camera", wanted).create(wanted, simulation))


def microphone(wanted: settings.Microphone, simulation: settings.Simulation) -> ports.Microphone:
    """The microphone, not yet opened. Raises as `camera`."""
    return cast(ports.Microphone, _driver("microphone", wanted).create(wanted, simulation))


def speaker(wanted: settings.Speaker, simulation: settings.Simulation) -> ports.Speaker:
    """The loudspeaker, not yet opened. Raises as `camera`."""
    return cast(ports.Speaker, _driver("speaker", wanted).create(wanted, simulation))


def relay(wanted: settings.Relay, simulation: settings.Simulation) -> ports.DisplayRelay:
    """The display's relay, not yet claimed. Raises as `camera`."""
    return cast(ports.DisplayRelay, _driver("display", wanted).create(wanted, simulation))


def panel(wanted: settings.Panel, simulation: settings.Simulation) -> ports.Panel:
    """The panel, not yet claimed. Raises as `camera`."""
    return cast(ports.Panel, _driver("panel", wanted).create(wanted, simulation))


def probe_all(
    devices: settings.Devices, held_panel: ports.Panel | None = None
) -> dict[str, DeviceStatus]:
    """The presence of every device that the settings name, by kind. Opens nothing, never raises.

    A panel that is open knows more of itself than can be seen from outside.
    """
    parts: dict[str, Wanted | None] = {
        "camera": devices.camera,
        "microphone": devices.microphone,
        "speaker": devices.speaker,
        "display": devices.display.relay,
        "panel": devices.panel,
    }
    found = {
        kind: _probe(kind, wanted, devices.simulation)
        for kind, wanted in parts.items()
        if wanted is not None
    }
    if devices.display.output.driver == "kms":
        found["display"] = _with_connector(found.get("display"), devices.display)
    if held_panel is not None and found["panel"].status is Status.OK:
        found["panel"] = held_panel.status()
    return found


def _with_connector(relay: DeviceStatus | None, display: settings.Display) -> DeviceStatus:
    """The relay's status and the connector's in one: the worse one's words, both details."""
    required = relay.required if relay else False
    seen = connector.probe(display.output, behind_relay=relay is not None, required=required)
    told = relay if relay and relay.status is not Status.OK else seen
    detail = structs.replace(seen.detail, holders=relay.detail.holders if relay else None)
    return DeviceStatus(told.status, told.code, told.text, required, detail)


def _probe(kind: str, wanted: Wanted, simulation: settings.Simulation) -> DeviceStatus:
    try:
        return cast(DeviceStatus, _driver(kind, wanted).probe(wanted, simulation))
    except DeviceError as error:
        return status.of_error(error, required=wanted.required)
    except Exception as error:  # a driver's mistake must not take the health report with it
        text = f"{kind.capitalize()}: cannot be looked up: {error!r}"
        return status.failed("probe-failed", text, required=wanted.required)


def _driver(kind: str, wanted: Wanted) -> ModuleType:
    try:
        return importlib.import_module(f"agent.devices.{kind}.{wanted.driver}")
    except ImportError as error:
        text = f"{kind.capitalize()}: driver '{wanted.driver}' needs a library that is not installed: {error}"
        raise DeviceError("not-installed", text) from error
