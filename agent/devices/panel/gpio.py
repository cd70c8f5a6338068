"""A panel on GPIO lines: the on-air lamp, and the buttons, each of which connects its line to ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from agent import settings
from agent.core.model.device_detail import DeviceDetail
from agent.core.model.documents import DeviceStatus
from agent.devices import status
from agent.devices.gpio import lines as gpio
from agent.devices.panel.button import HELD_SECONDS, Change, Debouncer, HoldWatch, unheard
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
    all_lines = (wanted.on_air_lamp, wanted.mute_button, wanted.camera_button)
    used = [line for line in all_lines if line is not None]
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
        self._hold_camera = HoldWatch(held_seconds, "camera button")
        self._lamp: LED | None = None
        self._buttons: list[Button] = []
        self._debouncers: list[Debouncer] = []

    def open(self, on_button: Change, on_camera_button: Change = unheard) -> None:
        """See the port. Raises DeviceAbsent, DeviceBusy, DeviceError."""
        if self._wanted.on_air_lamp is not None:
            self._lamp = gpio.lamp(self._lines, self._wanted.on_air_lamp)
        if self._wanted.mute_button is not None:
            self._watch(self._wanted.mute_button, self._hold, on_button)
        if self._wanted.camera_button is not None:
            self._watch(self._wanted.camera_button, self._hold_camera, on_camera_button)

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
        required = self._wanted.required
        held = self._hold.fault(required=required) or self._hold_camera.fault(required=required)
        return held or status.ok(f"{NAME}: ready", required=required)

    def close(self) -> None:
        """See the port."""
        for debouncer in self._debouncers:
            debouncer.close()
        if self._lamp is not None:
            self._lamp.off()
        for device in (*self._buttons, self._lamp):
            if device is not None:
                device.close()
        self._buttons, self._debouncers, self._lamp = [], [], None
        self._lines.close()

    def _watch(self, line: int, hold: HoldWatch, on_change: Change) -> None:
        button = gpio.button(self._lines, line)
        self._buttons.append(button)
        hold.changed(button.is_pressed)
        debouncer = Debouncer(lambda: bool(button.is_pressed), hold.before(on_change))
        button.when_pressed = button.when_released = debouncer.edge
        self._debouncers.append(debouncer)
