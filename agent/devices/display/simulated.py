"""A simulated display relay: its log is the display; it can be missing or stuck."""

from __future__ import annotations

from agent import settings
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.simulation import FaultFolder
from agent.errors import DeviceError

LOG = "display.log"


class SimulatedRelay:
    """The port `DisplayRelay`; like a latching relay it keeps its state while nobody holds it."""

    def __init__(self, wanted: settings.Relay, simulation: settings.Simulation) -> None:
        self._wanted = wanted
        self._faults = FaultFolder("display", simulation.directory)
        self._on = self._faults.last_note(LOG) == "on"

    def open(self, on: bool | None) -> bool:
        """See the port."""
        self._faults.open()
        if on is not None:
            self.switch(on)
        return self._on

    def switch(self, on: bool) -> None:
        """See the port. Raises DeviceError when the relay is stuck, DeviceAbsent when it's gone."""
        self._faults.raise_absent()
        if on == self._on:
            return
        if self._faults.fault() == "stuck":
            raise DeviceError("stuck", _stuck_text())
        self._on = on
        self._faults.note(LOG, "on" if on else "off")

    def close(self) -> None:
        """See the port."""
        self._faults.close()


def create(wanted: settings.Relay, simulation: settings.Simulation) -> SimulatedRelay:
    """The port `DisplayRelay`."""
    return SimulatedRelay(wanted, simulation)


def probe(wanted: settings.Relay, simulation: settings.Simulation) -> DeviceStatus:
    """Whether the simulated relay is plugged in now and moves."""
    faults = FaultFolder("display", simulation.directory)
    if faults.fault() == "stuck":
        return status.failed("stuck", _stuck_text(), required=wanted.required)
    return faults.presence(required=wanted.required)


def _stuck_text() -> str:
    return "Display: the relay does not switch (simulated); check the relay board"
