"""Whether a meeting may begin, by the last check's word and as long as that is to be believed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol, TypeVar

from msgspec import structs

from agent.core.model.clock import Now
from agent.core.model.documents import DeviceStatus, Readiness, Status
from agent.core.model.events import CheckEnded

BELIEVED_SECONDS = 4 * 3600.0
"""A check at dawn holds for the meeting of the morning, not for the one of the afternoon."""

GONE = (Status.FAILED, Status.ABSENT)

Devices = dict[str, DeviceStatus]


class _Found(Protocol):
    """A finding, the room's own or as the hub reads it."""

    @property
    def code(self) -> str: ...
    @property
    def severity(self) -> str: ...


Found = TypeVar("Found", bound=_Found)


def not_ready(verdict: str, findings: Iterable[Found], devices: Mapping[str, str]) -> list[Found]:
    """What keeps a room from meeting by its last check, such as a black picture: nothing unless that says no-go.

    `devices` has each kind of device with its health's code: what a device says of itself is left out.
    """
    told = {f"{kind}-{code}" for kind, code in devices.items()}
    return [
        one
        for one in findings
        if verdict == "no-go" and one.severity == "failed" and one.code not in told
    ]


class LastCheck:
    """Goes stale by itself: with time, or when a device is other than it was."""

    def __init__(self) -> None:
        self._readiness = Readiness()
        self._seconds = 0.0
        self._gone: dict[str, str] = {}

    @property
    def ended_seconds(self) -> float:
        """When the last one was done, on the monotonic clock."""
        return self._seconds

    def ended(self, event: CheckEnded, devices: Devices, now: Now) -> None:
        """A check is done. One that did not look at everything can only find that it is a no-go."""
        failed = any(finding.severity == "failed" for finding in event.findings)
        verdict = "no-go" if failed else "go" if event.complete else "unknown"
        self._readiness = structs.replace(
            self._readiness, verdict=verdict, at=now.wall, findings=event.findings
        )
        self._seconds, self._gone = now.monotonic_seconds, _gone(devices)

    def readiness(self, devices: Devices, now: Now) -> Readiness:
        """For the health document."""
        old = now.monotonic_seconds - self._seconds > BELIEVED_SECONDS
        if self._readiness.at and (old or _gone(devices) != self._gone):
            return structs.replace(self._readiness, verdict="unknown")
        return self._readiness


def _gone(devices: Devices) -> dict[str, str]:
    return {name: device.code for name, device in devices.items() if device.status in GONE}
