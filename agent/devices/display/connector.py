"""The display at the other end of the video cable, as the kernel sees it: DRM connectors and EDID.

Read from sysfs; nothing is opened. EDID's layout is VESA's E-EDID 1.4, section 3.10.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from agent import settings
from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus, Status
from agent.devices import status
from agent.settings.display import by_likelihood

SYSFS = Path("/sys")

_DESCRIPTOR_OFFSETS = (54, 72, 90, 108)
_MONITOR_NAME = b"\0\0\0\xfc\0"


class Connector(Struct, frozen=True):
    """One video output. `name` is as in `HDMI-A-1`; `monitor` from EDID, empty if unknown."""

    name: str
    connected: bool
    monitor: str


def connectors(sysfs: Path = SYSFS) -> list[Connector]:
    """All connectors of all graphics cards, the likeliest first; writeback ones are no displays."""
    found = []
    for path in (sysfs / "class" / "drm").glob("card*-*"):
        name = path.name.split("-", 1)[1]
        if name.startswith("Writeback"):
            continue
        with suppress(OSError):  # no connector, or its driver goes at this moment
            connected = (path / "status").read_text().strip() == "connected"
            found.append(Connector(name, connected, monitor_name(_edid(path))))
    return sorted(found, key=lambda one: by_likelihood(one.name))


def monitor_name(edid: bytes) -> str:
    """The name in an EDID block; empty when it has none."""
    for offset in _DESCRIPTOR_OFFSETS:
        descriptor = edid[offset : offset + 18]
        if descriptor.startswith(_MONITOR_NAME):
            return descriptor[5:].split(b"\n")[0].decode("ascii", "replace").strip()
    return ""


def probe(
    wanted: settings.Output, *, behind_relay: bool, required: bool, sysfs: Path = SYSFS
) -> DeviceStatus:
    """Whether a display is connected. One behind a relay may be without power, which is no fault."""
    there = connectors(sysfs)
    usable = [one for one in there if wanted.connector in (None, one.name)]
    if not usable:
        names = ", ".join(one.name for one in there) or "none"
        text = f"Display: no connector '{wanted.connector or 'of any name'}' (found: {names})"
        return status.failed("no-connector", text, required=required)
    chosen = next((one for one in usable if one.connected), usable[0])
    detail = DeviceDetail(connector=chosen.name, connected=chosen.connected, monitor=chosen.monitor)
    if not chosen.connected and not behind_relay:
        text = f"Display: nothing is connected to {chosen.name}; check the HDMI cable and its power"
        return DeviceStatus(Status.ABSENT, "unconnected", text, required, detail)
    text = f"Display: {chosen.monitor or chosen.name}"
    return status.ok(text, required=required, detail=detail)


def _edid(path: Path) -> bytes:
    try:
        return (path / "edid").read_bytes()
    except OSError:
        return b""
