"""Whether a sound card is there, from sysfs alone: the probe of both ALSA drivers."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.alsa import cards
from agent.errors import DeviceError


def probe(
    device: str | None, *, captures: bool, name: str, required: bool, sysfs: Path = cards.SYSFS
) -> DeviceStatus:
    """`device` as in the settings, `name` as in messages."""
    if importlib.util.find_spec("alsaaudio") is None:
        text = f"{name}: pyalsaaudio is not installed; apt-get install python3-alsaaudio"
        return status.failed("not-installed", text, required=required)
    try:
        found = cards.resolve(device, captures=captures, name=name, sysfs=sysfs)
    except DeviceError as error:
        return status.of_error(error, required=required)
    return status.ok(f"{name}: {found}", required=required, detail=DeviceDetail(device=found))
