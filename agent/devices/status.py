"""The words that every driver says about its device: one constructor a status.

A text reads `<Name>: <what is wrong>; <what to check>`, since a person in the room acts on it.
"""

from __future__ import annotations

from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus, Status
from agent.errors import DeviceAbsent, DeviceError

NOTHING_MORE = DeviceDetail()


def ok(text: str, *, required: bool, detail: DeviceDetail = NOTHING_MORE) -> DeviceStatus:
    """The device does what it was asked."""
    return DeviceStatus(Status.OK, "ok", text, required, detail)


def degraded(
    code: str, text: str, *, required: bool, detail: DeviceDetail = NOTHING_MORE
) -> DeviceStatus:
    """The device works, but not as it should."""
    return DeviceStatus(Status.DEGRADED, code, text, required, detail)


def failed(
    code: str, text: str, *, required: bool, detail: DeviceDetail = NOTHING_MORE
) -> DeviceStatus:
    """The device is there and of no use."""
    return DeviceStatus(Status.FAILED, code, text, required, detail)


def absent(text: str, *, required: bool, detail: DeviceDetail = NOTHING_MORE) -> DeviceStatus:
    """The device is not there at all."""
    return DeviceStatus(Status.ABSENT, "absent", text, required, detail)


def of_error(error: DeviceError, *, required: bool) -> DeviceStatus:
    """What an error means for the device's health."""
    said = Status.ABSENT if isinstance(error, DeviceAbsent) else Status.FAILED
    return DeviceStatus(said, error.code, error.text, required)
