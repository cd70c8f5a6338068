"""What our gpiozero pins ask of lgpio: a relay's line is claimed once, in its final state."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import gpiozero
import pytest
from gpiozero.pins.mock import MockFactory

from agent.devices.gpio import lines
from agent.errors import DeviceError
from tests.conformance.subjects import MockLines

steady = pytest.importorskip("agent.devices.gpio.steady", reason="lgpio is not installed")


class Kernel:
    """Records what lgpio is asked for; lgpio itself needs a GPIO chip."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.level = 0
        self.mode = 0
        monkeypatch.setattr(
            steady.lgpio, "gpiochip_open", lambda chip: self._ask("open", chip) or 1
        )
        monkeypatch.setattr(steady.lgpio, "gpiochip_close", lambda handle: self._ask("close"))
        monkeypatch.setattr(steady.lgpio, "gpio_claim_output", self._claim_output)
        monkeypatch.setattr(
            steady.lgpio, "gpio_claim_input", lambda *given: self._ask("input", *given)
        )
        monkeypatch.setattr(steady.lgpio, "gpio_get_mode", lambda handle, line: self.mode)
        for call in ("gpio_claim_alert", "gpio_free", "gpio_set_debounce_micros"):
            monkeypatch.setattr(steady.lgpio, call, lambda *given: 0)
        monkeypatch.setattr(steady.lgpio, "gpio_write", self._write)
        monkeypatch.setattr(steady.lgpio, "gpio_read", lambda handle, line: self.level)

    def _ask(self, *what: Any) -> None:
        self.asked.append(what)

    def _claim_output(self, handle: int, line: int, level: int = 0) -> None:
        self.level, self.mode = level, 2
        self._ask("output", line, level)

    def _write(self, handle: int, line: int, level: bool) -> None:
        self.level = int(level)
        self._ask("write", line, int(level))


@pytest.mark.parametrize("on", [True, False])
@pytest.mark.parametrize("active_high", [True, False])
def test_a_relay_is_claimed_in_its_final_state_and_left_so(
    monkeypatch: pytest.MonkeyPatch, on: bool, active_high: bool
) -> None:
    kernel = Kernel(monkeypatch)
    factory = steady.SteadyFactory(4)
    relay = gpiozero.OutputDevice(
        17, active_high=active_high, initial_value=on, pin_factory=factory
    )
    relay.close()
    factory.close()
    assert kernel.asked == [("open", 4), ("output", 17, int(on == active_high)), ("close",)]


def test_a_closed_button_listens_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """An edge told to a closed pin ends lgpio's thread, and with it every button (seen in a VM)."""
    Kernel(monkeypatch)
    listening = steady.lgpio._notify_thread.callbacks
    before = list(listening)
    factory = steady.SteadyFactory(0)
    button = gpiozero.Button(6, pull_up=True, pin_factory=factory)
    assert len(listening) == len(before) + 1
    button.close()
    factory.close()
    assert listening == before


def test_importing_leaves_no_trace_and_does_not_move(tmp_path: Path) -> None:
    """lgpio writes a FIFO where it is imported, and changes the directory (failure row 8)."""
    script = "import os, agent.devices.gpio.steady; print(os.getcwd())"
    environment = {**os.environ, "PYTHONPATH": os.getcwd()}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(tmp_path)
    assert os.listdir(tmp_path) == []


def test_two_chips_with_the_same_line_do_not_share_a_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = Kernel(monkeypatch)
    devices = [
        gpiozero.OutputDevice(17, initial_value=True, pin_factory=steady.SteadyFactory(chip))
        for chip in (0, 1)
    ]
    for device in devices:
        device.close()
    assert kernel.asked.count(("output", 17, 1)) == 2


class Deceiving(MockFactory):
    """Makes devices that say they are somewhere else's."""


def test_a_device_on_another_factory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gpiozero does when the factory asked for does not load (failure row 7)."""
    other = Deceiving()

    class Fallback(gpiozero.OutputDevice):
        pin_factory = property(lambda self: other, lambda self, value: None)

    monkeypatch.setattr(gpiozero, "OutputDevice", Fallback)
    with pytest.raises(DeviceError, match="gpiozero used"):
        lines.output(MockLines("Display relay"), 17)
