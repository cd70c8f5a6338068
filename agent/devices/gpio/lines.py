"""GPIO lines through gpiozero, on a pin factory that is named and not guessed.

gpiozero falls back to another factory when lgpio does not load (failure row 7); here it can't.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from agent.devices.gpio import chips
from agent.errors import DeviceBusy, DeviceError

if TYPE_CHECKING:
    from gpiozero import LED, Button, OutputDevice
    from gpiozero.pins import Factory


class Lines(Protocol):
    """Where a driver's lines come from: a chip of this machine, or gpiozero's mock pins."""

    name: str
    """The device's name in messages."""

    def factory(self) -> Factory:
        """The one pin factory of these lines. Raises DeviceAbsent, DeviceError."""
        ...

    def level(self, line: int) -> bool:
        """The line's level now, without claiming or changing it."""
        ...

    def holder(self, line: int) -> str:
        """Who holds the line; empty when nobody does."""
        ...

    def close(self) -> None:
        """Give the lines back; may be called twice."""
        ...


class ChipLines:
    """Lines of the chip with this label (None: a Pi's header)."""

    def __init__(self, label: str | None, name: str) -> None:
        self.name = name
        self._label = label
        self._factory: Factory | None = None

    def factory(self) -> Factory:
        """See Lines."""
        if self._factory is None:
            chip = self._chip()
            from agent.devices.gpio.steady import SteadyFactory

            self._factory = SteadyFactory(chip.number)
        return self._factory

    def level(self, line: int) -> bool:
        """See Lines."""
        return chips.level(self._chip(), line)

    def holder(self, line: int) -> str:
        """See Lines."""
        return chips.holder(self._chip(), line)

    def close(self) -> None:
        """See Lines."""
        if self._factory is not None:
            self._factory.close()
            self._factory = None

    def _chip(self) -> chips.Chip:
        return chips.find(self._label, self.name)


def output(lines: Lines, line: int, *, active_high: bool = True, on: bool = False) -> OutputDevice:
    """Claim an output that has this state from its first moment. Raises DeviceBusy, DeviceError."""
    from gpiozero import OutputDevice

    return _claim(lines, line, OutputDevice, active_high=active_high, initial_value=on)


def lamp(lines: Lines, line: int) -> LED:
    """Claim a lamp, dark. Raises DeviceBusy, DeviceError."""
    from gpiozero import LED

    return _claim(lines, line, LED, initial_value=False)


def button(lines: Lines, line: int) -> Button:
    """Claim a button to ground, pulled up. Raises DeviceBusy, DeviceError."""
    from gpiozero import Button

    return _claim(lines, line, Button, pull_up=True)


def _claim(lines: Lines, line: int, make: Callable[..., Any], **options: Any) -> Any:
    factory = lines.factory()
    try:
        device = make(line, pin_factory=factory, **options)
    except Exception as error:  # gpiozero's and lgpio's errors have no base in common
        if holder := lines.holder(line):
            text = f"{lines.name}: GPIO line {line} is held by '{holder}'"
            raise DeviceBusy("busy", text) from error
        text = f"{lines.name}: GPIO line {line} cannot be used: {error}; is it one of 0 to 27?"
        raise DeviceError("failed", text) from error
    if device.pin_factory is not factory:
        raise DeviceError("wrong-factory", f"{lines.name}: gpiozero used {device.pin_factory!r}")
    return device
