"""The cameras that Video4Linux2 has, as sysfs shows them, and the one that a setting means.

Nothing is opened. Cameras go by name, since /dev/videoN moves when they are plugged.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from agent.errors import DeviceAbsent, DeviceError

SYSFS = Path("/sys")


class Node(Struct, frozen=True):
    """A capture node. `card` is the camera's name; `path` is good until it is replugged."""

    card: str
    path: Path


def nodes(sysfs: Path = SYSFS) -> list[Node]:
    """The first node of every camera on USB (or of a virtual one), by path; opens nothing."""
    folder = sysfs / "class" / "video4linux"
    found = []
    for path in sorted(folder.glob("video*"), key=lambda path: int(path.name[5:])):
        with suppress(OSError):  # it is unplugged at this moment
            first = (path / "index").read_text().strip() == "0"
            if first and not _is_platform_device(path):
                found.append(Node((path / "name").read_text().strip(), Path("/dev") / path.name))
    return found


def find(device: str | None, sysfs: Path = SYSFS) -> Node:
    """The camera that a setting means: part of its card name, or a /dev/v4l/by-id path.

    None means the first camera. Raises DeviceAbsent, naming the cameras that are there, and
    DeviceError for a /dev/videoN, since N moves.
    """
    there = nodes(sysfs)
    found = ", ".join(f"'{node.card}'" for node in there) or "none"
    wanted = f"USB camera named '{device}'" if device else "USB camera"
    if device is not None and device.startswith("/dev/video"):
        text = f"Camera: '{device}' moves when cameras are plugged; use the camera's name (found: {found})"
        raise DeviceError("named-by-index", text)
    for node in there:
        if device is None or _means(device, node):
            return node
    text = f"Camera: no {wanted} found; check its USB cable (found: {found})"
    raise DeviceAbsent("absent", text)


def _is_platform_device(node: Path) -> bool:
    """The Pi's own codecs and sensor interfaces are no USB cameras; vivid, for tests, counts as one."""
    device = (node / "device").resolve()
    if any(part.startswith("usb") for part in device.parts):
        return False  # also on a Pi 3, whose USB is a part of its `soc`
    return (device / "of_node").exists() or "soc" in device.parts


def _means(device: str, node: Node) -> bool:
    if device.startswith("/dev/"):
        return Path(device).resolve() == node.path
    return device.lower() in node.card.lower()
