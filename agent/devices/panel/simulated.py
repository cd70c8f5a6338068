"""A simulated panel: a FIFO that takes `press` and `release`, and a log that is the lamp."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

from agent import settings
from agent.core.model.documents import DeviceStatus
from agent.devices.panel.button import HELD_SECONDS, HoldWatch
from agent.devices.simulation import FaultFolder

LAMP_LOG = "lamp.log"
BUTTON_FIFO = "mute-button"
CLOSE_SECONDS = 1.0


class SimulatedPanel:
    """The port `Panel`."""

    def __init__(
        self,
        wanted: settings.Panel,
        simulation: settings.Simulation,
        held_seconds: float = HELD_SECONDS,
    ) -> None:
        self._wanted = wanted
        self._hold = HoldWatch(held_seconds)
        self._faults = FaultFolder("panel", simulation.directory)
        self._mode = "off"
        self._button: ButtonFifo | None = None

    def open(self, on_button: Callable[[bool], None]) -> None:
        """See the port."""

        def changed(pressed: bool) -> None:
            self._hold.changed(pressed)
            on_button(pressed)

        self._faults.open()
        if self._faults.directory is not None:
            self._button = ButtonFifo(self._faults.directory / BUTTON_FIFO, changed)

    def lamp(self, mode: str) -> None:
        """See the port. Raises DeviceAbsent when the panel is unplugged."""
        self._faults.raise_absent()
        if mode != self._mode:
            self._mode = mode
            self._faults.note(LAMP_LOG, mode)

    def status(self) -> DeviceStatus:
        """See the port."""
        required = self._wanted.required
        return self._hold.fault(required=required) or self._faults.presence(required=required)

    def close(self) -> None:
        """See the port."""
        if self._button is not None:
            self._button.close()
            self._button = None
        if self._mode != "off":
            self._mode = "off"
            self._faults.note(LAMP_LOG, "off")
        self._faults.close()


def create(wanted: settings.Panel, simulation: settings.Simulation) -> SimulatedPanel:
    """The port `Panel`."""
    return SimulatedPanel(wanted, simulation)


def probe(wanted: settings.Panel, simulation: settings.Simulation) -> DeviceStatus:
    """Whether the simulated panel is plugged in now."""
    return FaultFolder("panel", simulation.directory).presence(required=wanted.required)


class ButtonFifo:
    """Makes the FIFO and reads `press` and `release` lines until it is closed; only a change is told."""

    def __init__(self, path: Path, on_button: Callable[[bool], None]) -> None:
        self._on_button = on_button
        self._pressed = False
        self._fifo = _open_fifo(path)
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, name="mute-button", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening; the FIFO stays."""
        os.write(self._wake_write, b"x")
        self._thread.join(CLOSE_SECONDS)
        for descriptor in (self._fifo, self._wake_read, self._wake_write):
            os.close(descriptor)

    def _run(self) -> None:
        rest = b""
        while True:
            ready, _, _ = select.select([self._fifo, self._wake_read], [], [])
            if self._wake_read in ready:
                return
            *lines, rest = (rest + os.read(self._fifo, 4096)).split(b"\n")
            for line in lines:
                self._obey(line.strip())

    def _obey(self, word: bytes) -> None:
        pressed = {b"press": True, b"release": False}.get(word)
        if pressed is not None and pressed != self._pressed:
            self._pressed = pressed
            self._on_button(pressed)


def _open_fifo(path: Path) -> int:
    """Made if it is not there; open for writing too, so that it does not end when a writer goes."""
    if not path.is_fifo():
        path.unlink(missing_ok=True)
        os.mkfifo(path)
    return os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
