"""What every panel driver promises: the port `Panel`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import get_args

import pytest

from agent import settings
from agent.core.model.documents import Status
from agent.core.model.effects import LampMode
from agent.devices.gpio.lines import ChipLines
from agent.devices.panel import gpio, simulated
from agent.devices.panel.button import PRESS_SECONDS
from agent.devices.panel.lamp import PATTERNS
from agent.errors import DeviceAbsent
from agent.ports import Panel
from tests.conformance import subjects
from tests.support.gpio_sim import SimulatedLine
from tests.support.waiting import wait_for

HELD_SECONDS = 0.5
LAMP, BUTTON, CAMERA_BUTTON = 5, 6, 7


class Rig:
    """A panel, a finger on its button and an eye on its lamp."""

    def __init__(
        self, panel: Panel, press: Callable[[bool], None], lamp: Callable[[], list[bool]]
    ) -> None:
        self.panel = panel
        self.press = press
        self.lamp = lamp
        """Every state the lamp had, in order."""
        self.told: list[bool] = []

    def open(self) -> None:
        self.panel.open(self.told.append)

    def await_told(self, *expected: bool) -> None:
        wait_for(lambda: self.told == list(expected), 5, f"{expected}, told: {self.told}")


def simulated_rig(folder: Path) -> Rig:
    simulation = settings.Simulation(directory=str(folder))
    panel = simulated.SimulatedPanel(settings.Panel(driver="simulated"), simulation, HELD_SECONDS)

    def press(down: bool) -> None:
        fifo = os.open(folder / "mute-button", os.O_WRONLY)
        os.write(fifo, b"press\n" if down else b"release\n")
        os.close(fifo)

    def lamp() -> list[bool]:
        log = folder / "lamp.log"
        return [not line.endswith(" off") for line in log.read_text().splitlines()]

    return Rig(panel, press, lamp)


class JammedPin(subjects.SteadyMockPin):
    """Connected to ground, whatever pulls it up."""

    def drive_high(self) -> bool:
        return self.drive_low()


def mock_pin_rig() -> Rig:
    lines = subjects.MockLines("Panel")
    wanted = settings.Panel(driver="gpio", on_air_lamp=LAMP, mute_button=BUTTON)
    button, lamp = lines.mock.pin(BUTTON), lines.mock.pin(LAMP)

    def press(down: bool) -> None:
        if down:
            button.drive_low()
        else:
            button.drive_high()

    panel = gpio.GpioPanel(wanted, lines, HELD_SECONDS)
    return Rig(panel, press, lambda: [bool(state.state) for state in lamp.states[1:]])


def chip_rig() -> Rig:
    """Lines of the kernel's gpio-sim: the finger is a pull, the eye its trace."""
    label, _ = subjects.named("DIEMCAU_TEST_GPIO", "GPIO chip").split(":")
    wanted = settings.Panel(driver="gpio", chip=label, on_air_lamp=LAMP, mute_button=BUTTON)
    button, lamp = SimulatedLine(BUTTON), SimulatedLine(LAMP)
    button.pull(True)
    panel = gpio.GpioPanel(wanted, ChipLines(label, "Panel"), HELD_SECONDS)
    return Rig(panel, lambda down: button.pull(not down), lambda: lamp.levels_driven()[1:])


@pytest.fixture(params=["simulated", "mock-pins", "chip"])
def rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    if request.param == "simulated":
        rig = simulated_rig(tmp_path)
    else:
        rig = mock_pin_rig() if request.param == "mock-pins" else chip_rig()
    yield rig
    rig.panel.close()


@pytest.fixture(params=[mock_pin_rig, chip_rig], ids=["mock-pins", "chip"])
def pins(request: pytest.FixtureRequest) -> Iterator[Rig]:
    rig = request.param()
    yield rig
    rig.panel.close()


def test_a_press_and_a_release_are_told_once_each(rig: Rig) -> None:
    rig.open()
    rig.press(True)
    rig.await_told(True)
    rig.press(False)
    rig.await_told(True, False)


def test_the_lamp_follows(rig: Rig) -> None:
    rig.open()
    for mode in ("on", "on", "off"):
        rig.panel.lamp(mode)
    assert rig.lamp() == [True, False]


@pytest.mark.parametrize("mode", PATTERNS)
def test_each_thing_that_the_lamp_says_has_a_pattern_of_its_own(pins: Rig, mode: str) -> None:
    """On first, so that what is open is never dark; then as long as the table says."""
    pins.open()
    began = time.monotonic()
    pins.panel.lamp(mode)
    on, off = PATTERNS[mode]
    wait_for(lambda: len(pins.lamp()) >= 3, on + off + 5, "on, off, and on again")
    took = time.monotonic() - began
    assert pins.lamp()[:3] == [True, False, True]
    assert 0.9 * (on + off) < took < on + off + 1


def test_the_patterns_are_told_apart() -> None:
    """By their pace, or by how much of it is dark."""
    said = [(round(on + off, 2), round(off / (on + off), 2)) for on, off in PATTERNS.values()]
    assert len(set(said)) == len(said)
    assert set(PATTERNS) | {"on", "off"} == set(get_args(LampMode))


def test_the_lamp_is_dark_after_closing(rig: Rig) -> None:
    rig.open()
    rig.panel.lamp("on")
    rig.panel.close()
    rig.panel.close()
    assert rig.lamp() == [True, False]


def test_the_lamp_blinks_at_one_hertz(pins: Rig) -> None:
    pins.open()
    began = time.monotonic()
    pins.panel.lamp("blink")
    wait_for(lambda: len(pins.lamp()) >= 4, 5, "two blinks")
    assert 1.3 < time.monotonic() - began < 3
    pins.panel.lamp("on")
    assert pins.lamp()[-1] is True


def test_a_button_held_too_long_is_a_fault_until_it_is_released(rig: Rig) -> None:
    rig.open()
    assert rig.panel.status().status is Status.OK
    rig.press(True)
    wait_for(lambda: rig.panel.status().code == "button-held", 5, "the fault")
    assert "jammed" in rig.panel.status().text
    rig.press(False)
    wait_for(lambda: rig.panel.status().status is Status.OK, 5, "the end of the fault")


def test_closing_ends_what_is_told(rig: Rig) -> None:
    rig.open()
    rig.panel.close()
    assert rig.told == []


def test_a_bouncing_contact_is_one_press(pins: Rig) -> None:
    pins.open()
    for _ in range(10):
        pins.press(True)
        time.sleep(0.003)
        pins.press(False)
        time.sleep(0.003)
    pins.press(True)
    pins.await_told(True)
    time.sleep(0.15)
    assert pins.told == [True]


def test_a_spike_of_interference_is_no_press(pins: Rig) -> None:
    """Failure row 10. A spike that a busy machine made as long as a press is none."""
    pins.open()
    seen = 0
    while seen < 3:
        began, told = time.monotonic(), len(pins.told)
        pins.press(True)
        time.sleep(0.002)
        pins.press(False)
        short = time.monotonic() - began < PRESS_SECONDS / 2
        time.sleep(0.15)
        assert not short or len(pins.told) == told
        seen += short


def test_a_button_that_is_jammed_at_the_start_was_not_pressed_but_is_a_fault() -> None:
    lines = subjects.MockLines("Panel")
    lines.mock.pin_class = JammedPin
    panel = gpio.GpioPanel(settings.Panel(driver="gpio", mute_button=BUTTON), lines, HELD_SECONDS)
    told: list[bool] = []
    panel.open(told.append)
    wait_for(lambda: panel.status().code == "button-held", 5, "the fault")
    assert told == []
    panel.close()


def test_a_panel_without_lines_does_nothing(tmp_path: Path) -> None:
    panel = gpio.GpioPanel(settings.Panel(driver="gpio"), subjects.MockLines("Panel"))
    panel.open(lambda pressed: None)
    panel.lamp("on")
    assert panel.status().status is Status.OK
    panel.close()


def test_an_unplugged_panel_is_absent(tmp_path: Path) -> None:
    rig = simulated_rig(tmp_path)
    (tmp_path / "panel").write_text("unplugged")
    with pytest.raises(DeviceAbsent):
        rig.open()
    assert rig.panel.status().status is Status.ABSENT


def test_the_camera_has_a_button_of_its_own(tmp_path: Path) -> None:
    lines = subjects.MockLines("Panel")
    wanted = settings.Panel(driver="gpio", mute_button=BUTTON, camera_button=CAMERA_BUTTON)
    pin = lines.mock.pin(CAMERA_BUTTON)
    simulation = settings.Simulation(directory=str(tmp_path))
    panels: list[tuple[Panel, Callable[[], None]]] = [
        (gpio.GpioPanel(wanted, lines, HELD_SECONDS), pin.drive_low),
        (
            simulated.SimulatedPanel(settings.Panel(driver="simulated"), simulation, HELD_SECONDS),
            lambda: (tmp_path / "camera-button").write_text("press\n") and None,
        ),
    ]
    for panel, press in panels:
        told: list[str] = []
        panel.open(
            lambda down, told=told: told.append(f"mute {down}"),
            lambda down, told=told: told.append(f"camera {down}"),
        )
        press()
        wait_for(lambda told=told: told == ["camera True"], 5, "the camera's button")
        wait_for(
            lambda panel=panel: "camera button" in panel.status().text,
            5,
            "that it is held too long",
        )
        panel.close()
