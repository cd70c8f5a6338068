"""A display's power relay on a GPIO line.

The line is claimed in its final state, read back after each switch, and left as it is at the end:
the kernel of a Raspberry Pi keeps a released output (pinctrl's persist_gpio_outputs, on by
default there), so that a restart of the agent does not cut the display.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent import settings
from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.gpio.lines import ChipLines, Lines, output
from agent.errors import DeviceError

if TYPE_CHECKING:
    from gpiozero import OutputDevice

NAME = "Display relay"


def create(wanted: settings.Relay, simulation: settings.Simulation) -> GpioRelay:
    """The port `DisplayRelay`."""
    return GpioRelay(wanted, ChipLines(wanted.chip, NAME))


def probe(wanted: settings.Relay, simulation: settings.Simulation) -> DeviceStatus:
    """Whether the GPIO chip is there; a relay itself cannot be seen."""
    lines = ChipLines(wanted.chip, NAME)
    return status.ok(
        f"{NAME}: GPIO line {wanted.line}",
        required=wanted.required,
        detail=DeviceDetail(holders={str(wanted.line): lines.holder(wanted.line)}),
    )


class GpioRelay:
    """The port `DisplayRelay`."""

    def __init__(self, wanted: settings.Relay, lines: Lines) -> None:
        self._wanted = wanted
        self._lines = lines
        self._output: OutputDevice | None = None

    def open(self, on: bool | None) -> bool:
        """See the port. Raises DeviceAbsent, DeviceBusy, DeviceError."""
        wanted = self._wanted
        if on is None:
            on = self._lines.level(wanted.line) == wanted.active_high
        self._output = output(self._lines, wanted.line, active_high=wanted.active_high, on=on)
        self._check(on)
        return on

    def switch(self, on: bool) -> None:
        """See the port. Raises DeviceError when the line does not follow."""
        if self._output is None:
            raise DeviceError("closed", f"{NAME}: not open")
        self._output.value = on
        self._check(on)

    def close(self) -> None:
        """See the port."""
        if self._output is not None:
            self._output.close()
            self._output = None
        self._lines.close()

    def _check(self, on: bool) -> None:
        assert self._output is not None
        if bool(self._output.value) != on:
            text = f"{NAME}: GPIO line {self._wanted.line} does not follow; check the wiring for a short"
            raise DeviceError("stuck", text)
