"""A panel on GPIO lines: the on-air lamp and the mute button, which connects its line to ground."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from agent import settings
from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.gpio import lines as gpio
from agent.devices.panel.button import HELD_SECONDS, Debouncer, HoldWatch
from agent.devices.panel.lamp import PATTERNS

if TYPE_CHECKING:
    from gpiozero import LED, Button

NAME = "Panel"


def create(wanted: settings.Panel, simulation: settings.Simulation) -> GpioPanel:
    """The port `Panel`."""
    return GpioPanel(wanted, gpio.ChipLines(wanted.chip, NAME))


def probe(wanted: settings.Panel, simulation: settings.Simulation) -> DeviceStatus:
    """Whether the GPIO chip is there; lamp and button themselves cannot be seen."""
    lines = gpio.ChipLines(wanted.chip, NAME)
    used = [line for line in (wanted.on_air_lamp, wanted.mute_button) if line is not None]
    holders = {str(line): lines.holder(line) for line in used}
    return status.ok(
        f"{NAME}: GPIO lines {used}", required=wanted.required, detail=DeviceDetail(holders=holders)
    )


class GpioPanel:
    """The port `Panel`; a part without a line in the settings is not there."""

    def __init__(
        self, wanted: settings.Panel, lines: gpio.Lines, held_seconds: float = HELD_SECONDS
    ) -> None:
        self._wanted = wanted
        self._lines = lines
        self._hold = HoldWatch(held_seconds)
        self._lamp: LED | None = None
        self._button: Button | None = None
        self._debouncer: Debouncer | None = None

    def open(self, on_button: Callable[[bool], None]) -> None:
        """See the port. Raises DeviceAbsent, DeviceBusy, DeviceError."""
        if self._wanted.on_air_lamp is not None:
            self._lamp = gpio.lamp(self._lines, self._wanted.on_air_lamp)
        if self._wanted.mute_button is not None:
            self._button = gpio.button(self._lines, self._wanted.mute_button)
            self._watch(self._button, on_button)

    def lamp(self, mode: str) -> None:
        """See the port."""
        if self._lamp is None:
            return
        if pattern := PATTERNS.get(mode):
            self._lamp.blink(*pattern)
        else:
            self._lamp.value = mode == "on"

    def status(self) -> DeviceStatus:
        """See the port."""
        return self._hold.fault(required=self._wanted.required) or status.ok(
            f"{NAME}: ready", required=self._wanted.required
        )

    def close(self) -> None:
        """See the port."""
        if self._debouncer is not None:
            self._debouncer.close()
        if self._lamp is not None:
            self._lamp.off()
        for device in (self._button, self._lamp):
            if device is not None:
                device.close()
        self._button = self._lamp = self._debouncer = None
        self._lines.close()

    def _watch(self, button: Button, on_button: Callable[[bool], None]) -> None:
        def changed(pressed: bool) -> None:
            self._hold.changed(pressed)
            on_button(pressed)

        self._hold.changed(button.is_pressed)
        debouncer = Debouncer(lambda: bool(button.is_pressed), changed)
        button.when_pressed = button.when_released = debouncer.edge
        self._debouncer = debouncer
