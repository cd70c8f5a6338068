"""What the checks of all devices have in common: is it there, may it be opened, what came of it.

A device is looked at without opening it first; it is opened only while no meeting needs it.
"""

from __future__ import annotations

from typing import TypeVar

from agent.core.model.documents import DeviceStatus, Status
from agent.diagnostics.bench.borrow import BenchFailed, MeetingBegan, borrow
from agent.diagnostics.bench.loan import NotLent
from agent.diagnostics.bench.protocol import Request, Result
from agent.diagnostics.checks import trouble
from agent.diagnostics.holders import (
    CAMERA_NODES,
    GPIO_NODES,
    MICROPHONE_NODES,
    SPEAKER_NODES,
    find_holders,
)
from agent.diagnostics.report import Finding, ok, skipped, unchecked
from agent.diagnostics.site import Presence, Site
from agent.errors import DeviceTimeout
from agent.locale import gettext as _
from agent.settings import Devices

R = TypeVar("R", bound=Result)

NODES = {
    "camera": CAMERA_NODES,
    "microphone": MICROPHONE_NODES,
    "speaker": SPEAKER_NODES,
    "display": GPIO_NODES,
    "panel": GPIO_NODES,
}


def preliminary(site: Site, kind: str, fitted: bool) -> list[Finding] | None:
    """All that can be said when the device must not or cannot be opened; None: it may be."""
    if not fitted and site.unreadable(kind):
        return [skipped(f"{kind}-unknown", _("Not looked at: the settings can't be read"))]
    if site.sections.devices is None or not fitted:
        return [skipped(f"{kind}-none", _("Not in this room's settings"))]
    present = probe(site, kind, site.sections.devices)
    if present.status is not Status.OK:
        found = trouble.finding(kind, present, driver=site.driver(kind))
        return [with_holders(found, kind, present.code)]
    return None


def held_by_meeting(site: Site, kind: str) -> list[Finding] | None:
    """What the daemon says while a meeting has the device; None: no meeting needs it."""
    if site.daemon.presence is Presence.CLOSED:
        return [unchecked(f"{kind}-closed", _("Could not be checked: run with sudo"))]
    if not site.devices_needed():
        return None
    if site.daemon.presence is not Presence.UP:
        text = _("Not opened: the agent does not answer, and its media process still runs")
        return [skipped(f"{kind}-held", text, _("Restart the agent, then run the doctor again"))]
    reported = site.reported(kind)
    if reported is not None and reported.status is not Status.OK:
        return [trouble.finding(kind, reported, driver=site.driver(kind))]
    left_out = skipped(f"{kind}-in-meeting", _("Not opened: the room is in a meeting"))
    if reported is None:
        return [left_out]
    return [ok(f"{kind}-ok", _("In use by the meeting, and well"), reported.text), left_out]


def probe(site: Site, kind: str, devices: Devices) -> DeviceStatus:
    """Whether the device is there, looked up without opening it; in a meeting its media process knows."""
    from agent.devices.registry import probe_all

    reported = site.reported(kind) if site.daemon.in_meeting else None
    return reported or probe_all(devices)[kind]


def attempt(site: Site, kind: str, request: Request, expected: type[R]) -> R | list[Finding]:
    """Try the device out; findings instead of a result if that could not be done."""
    try:
        result = borrow(site, request)
        assert isinstance(result, expected)
        return result
    except MeetingBegan:
        text = _("Given back: a meeting or the agent began while it was tested")
        return [skipped(f"{kind}-meeting-began", text)]
    except NotLent as error:
        return [not_lent(kind, error)]
    except (BenchFailed, DeviceTimeout) as error:
        code = "stalled" if error.code == "hangs" else error.code
        found = trouble.describe(kind, code, error.text, site.driver(kind))
        return [with_holders(found, kind, code)]


def not_lent(kind: str, error: NotLent) -> Finding:
    """Why the device was left alone."""
    match error.code:
        case "no-rights":
            return unchecked(f"{kind}-closed", _("Could not be checked: run with sudo"))
        case "in-meeting":
            return skipped(f"{kind}-in-meeting", _("Not opened: the room is in a meeting"))
        case "by-hand":
            text = _("Not opened: the people in the room have switched it off")
            return skipped(
                f"{kind}-by-hand", text, _("They press the button, or five minutes pass")
            )
        case "lamp-dark":
            text = _("Not opened: the on-air lamp can't be lit")
            return skipped(f"{kind}-lamp-dark", text, _("First put the lamp right"))
    text = _("Not opened: it can't be written down who opens it")
    return skipped(f"{kind}-no-audit", text, _("First put the agent and the disk right"))


def with_holders(found: Finding, kind: str, code: str) -> Finding:
    """The finding, with the names of the programs that hold a busy device."""
    if code != "busy":
        return found
    holders = ", ".join(str(holder) for holder in find_holders(NODES[kind]))
    if not holders:
        return found
    import msgspec

    evidence = _("held by {holders}").format(holders=holders)
    return msgspec.structs.replace(found, evidence=evidence)
