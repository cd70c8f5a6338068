"""A simulated panel: FIFOs that take `press` and `release`, and a log that is the lamp."""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Callable
from pathlib import Path

from agent import settings
from agent.core.model.documents import DeviceStatus
from agent.devices.panel.button import HELD_SECONDS, Change, HoldWatch, unheard
from agent.devices.simulation import FaultFolder

LAMP_LOG = "lamp.log"
BUTTON_FIFO = "mute-button"
CAMERA_FIFO = "camera-button"
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
        self._hold_camera = HoldWatch(held_seconds, "camera button")
        self._faults = FaultFolder("panel", simulation.directory)
        self._mode = "off"
        self._buttons: list[ButtonFifo] = []

    def open(self, on_button: Change, on_camera_button: Change = unheard) -> None:
        """See the port."""
        self._faults.open()
        if folder := self._faults.directory:
            self._buttons = [
                ButtonFifo(folder / BUTTON_FIFO, self._hold.before(on_button)),
                ButtonFifo(folder / CAMERA_FIFO, self._hold_camera.before(on_camera_button)),
            ]

    def lamp(self, mode: str) -> None:
        """See the port. Raises DeviceAbsent when the panel is unplugged."""
        self._faults.raise_absent()
        if mode != self._mode:
            self._mode = mode
            self._faults.note(LAMP_LOG, mode)

    def status(self) -> DeviceStatus:
        """See the port."""
        required = self._wanted.required
        held = self._hold.fault(required=required) or self._hold_camera.fault(required=required)
        return held or self._faults.presence(required=required)

    def close(self) -> None:
        """See the port."""
        while self._buttons:
            self._buttons.pop().close()
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
