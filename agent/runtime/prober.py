"""Looks at devices and host for the loop, in a thread: a driver or disk that hangs costs a report.

Pairs with the core's `Probe`; `DevicesProbed` and `HostSampled` always follow, in this order.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from msgspec import structs

from agent.core.model.documents import DeviceStatus, HostHealth, Status
from agent.core.model.events import DevicesProbed, HostSampled
from agent.ports import Post

log = logging.getLogger(__name__)

PROBE_SECONDS = 5.0
"""Reading sysfs and ALSA's card list takes milliseconds."""

SAMPLE_SECONDS = 5.0
"""A few milliseconds too, unless the disk is sick or the firmware doesn't answer (2 s)."""

CLOSE_SECONDS = 1.0

T = TypeVar("T")


class BoundedCall(Generic[T]):
    """A function that may hang, called in a thread of its own, never twice at a time."""

    def __init__(self, function: Callable[[], T], name: str) -> None:
        self._function = function
        self._name = name
        self._thread: threading.Thread | None = None

    def __call__(self, seconds: float) -> T | None:
        """The function's result; None if it failed (logged), or hangs, or still does."""
        if self._thread is not None and self._thread.is_alive():
            return None
        outcome: list[T] = []
        self._thread = threading.Thread(
            target=self._call, args=[outcome], name=self._name, daemon=True
        )
        self._thread.start()
        self._thread.join(seconds)
        return outcome[0] if outcome else None

    def _call(self, outcome: list[T]) -> None:
        try:
            outcome.append(self._function())
        except Exception:
            log.exception("%s failed", self._name)


class Prober:
    """`request` asks for a look at everything; requests during one are answered by the next one."""

    def __init__(
        self,
        post: Post,
        probe: Callable[[], dict[str, DeviceStatus]],
        sample: Callable[[], HostHealth],
    ) -> None:
        self._post = post
        self._probe = BoundedCall(probe, "probe")
        self._sample = BoundedCall(sample, "host sample")
        self._known: dict[str, DeviceStatus] = {}
        self._requested = threading.Event()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="prober", daemon=True)

    def request(self) -> None:
        """Never blocks."""
        if not self._thread.is_alive() and not self._closing:
            self._thread.start()
        self._requested.set()

    def close(self) -> None:
        """Stop looking; a look that hangs is left behind. May be called twice."""
        self._closing = True
        self._requested.set()
        if self._thread.is_alive():
            self._thread.join(CLOSE_SECONDS)

    def _run(self) -> None:
        while self._requested.wait() and not self._closing:
            self._requested.clear()
            found = self._probe(PROBE_SECONDS)
            self._known = _stuck(self._known) if found is None else found
            self._post(DevicesProbed(self._known))
            self._post(HostSampled(self._host(devices_found=found is not None)))

    def _host(self, *, devices_found: bool) -> HostHealth:
        sampled = self._sample(SAMPLE_SECONDS)
        if sampled is None:
            text = "The machine's figures cannot be read: see dmesg"
            return HostHealth(status=Status.DEGRADED, code="host-stuck", text=text)
        if devices_found:
            return sampled
        text = "Looking for devices hangs or fails: see dmesg"
        return structs.replace(sampled, status=Status.DEGRADED, code="probe-stuck", text=text)


def _stuck(devices: dict[str, DeviceStatus]) -> dict[str, DeviceStatus]:
    """The devices of the last look; whether they are still there can't be said."""
    return {
        kind: structs.replace(
            device,
            status=Status.DEGRADED,
            code="probe-stuck",
            text=f"{kind.capitalize()}: cannot be looked for, a driver hangs; see dmesg, reboot",
        )
        for kind, device in devices.items()
    }
