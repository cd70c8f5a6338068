"""The right to open the room's devices for a try: the lamp is lit and the audit knows, or it isn't given.

The daemon lends them where one runs. Without one (or with one that hangs) the tool lights the lamp and
writes the audit itself, as the daemon would; where it can't, no device is opened.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

from agent import settings
from agent.core.audit import CLOSED, OPENED, WATCHED
from agent.core.model.documents import EventDetail, EventDocument
from agent.devices import registry
from agent.diagnostics.client import ControlError
from agent.diagnostics.site import Presence, Site
from agent.errors import AgentError, DeviceError, JournalError
from agent.store.audit_entry import add_event

DEVICES: dict[str, tuple[str, ...]] = {
    "camera": ("camera",),
    "microphone": ("microphone",),
    "loop": ("microphone", "speaker"),
}
"""Task of the bench -> what it opens that can see or hear; what only plays needs no loan."""


class NotLent(AgentError):
    """No device may be opened: `no-rights`, `in-meeting`, `by-hand`, `lamp-dark` or `agent-hangs`."""


class Loan:
    """Devices that may be opened until `take` ends."""

    def __init__(self, connection: socket.socket | None = None) -> None:
        self._connection = connection

    @property
    def descriptors(self) -> tuple[int, ...]:
        """To be inherited by whoever opens the devices: the daemon counts them as lent until it is gone."""
        return () if self._connection is None else (self._connection.fileno(),)

    def lost(self) -> bool:
        """Whether the daemon that lent them has ended, so that nobody keeps the lamp lit any more."""
        if self._connection is None:
            return False
        try:
            return not self._connection.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            return True


@contextmanager
def take(site: Site, task: str) -> Iterator[Loan]:
    """What this task of the bench needs. Raises NotLent."""
    devices = DEVICES.get(task, ())
    if not devices:
        yield Loan()
    elif site.daemon.presence is Presence.UP:
        with _of_daemon(site, devices) as loan:
            yield loan
    elif site.daemon.presence is Presence.CLOSED:
        raise NotLent("no-rights", f"{site.daemon.text}; run it with sudo")
    else:
        with _of_our_own(site, devices) as loan:
            yield loan


@contextmanager
def _of_daemon(site: Site, devices: tuple[str, ...]) -> Iterator[Loan]:
    try:
        connection = site.client.borrow(devices)
    except ControlError as error:
        code = error.code if error.code in ("in-meeting", "by-hand") else "agent-hangs"
        raise NotLent(code, error.text) from error
    with connection:
        yield Loan(connection)


@contextmanager
def _of_our_own(site: Site, devices: tuple[str, ...]) -> Iterator[Loan]:
    room, store = site.sections.room, site.sections.store or settings.Store()
    name = room.id if room else "room"
    watched = [device for device in devices if device in WATCHED]
    with ExitStack() as stack:
        _light_lamp(site, stack)
        for device in watched:
            text = f"{device.capitalize()}: open: tried out by hand, without the agent"
            _write_down(store, OPENED, name, device, text)
            stack.callback(
                _write_down,
                store,
                CLOSED,
                name,
                device,
                f"{device.capitalize()}: closed: given back",
            )
        yield Loan()


def _light_lamp(site: Site, stack: ExitStack) -> None:
    """Raises NotLent if the room has a lamp that stays dark."""
    devices = site.sections.devices
    if devices is None or devices.panel is None:
        return
    if devices.panel.driver == "gpio" and devices.panel.on_air_lamp is None:
        return
    panel = registry.panel(devices.panel, devices.simulation)
    try:
        panel.open(lambda pressed: None)
        stack.callback(panel.close)
        panel.lamp("on")
    except DeviceError as error:
        text = f"the on-air lamp cannot be lit ({error.text}), so nothing is opened"
        raise NotLent("lamp-dark", text) from error


def _write_down(store: settings.Store, kind: str, room: str, device: str, text: str) -> None:
    """Raises NotLent if the audit can't be written."""
    detail = EventDetail(device=device, asked_by=f"uid {os.getuid()} pid {os.getpid()}")
    event = EventDocument(kind, room, "ok", text, datetime.now(UTC), detail)
    try:
        add_event(store.path, event)
    except JournalError as error:
        code = "no-rights" if error.code == "no-rights" else "agent-hangs"
        raise NotLent(code, error.text) from error
