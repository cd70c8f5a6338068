"""What every relay driver promises: the port `DisplayRelay`. Edges are what the display would see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent import settings
from agent.core.model.documents import Status
from agent.devices.display import gpio, simulated
from agent.errors import DeviceAbsent, DeviceBusy, DeviceError
from agent.ports import DisplayRelay
from tests.conformance import subjects
from tests.support.gpio_sim import SimulatedLine


class Rig:
    """Makes relays on the same line, one after the other, and records what the display saw."""

    def __init__(
        self,
        make: Callable[[], DisplayRelay],
        seen: Callable[[], list[bool]],
        keep: Callable[[bool], None] = lambda on: None,
    ) -> None:
        self.make = make
        self.seen = seen
        """Every state the display had, in order, without repetitions."""
        self.keep = keep
        """Does for a released line what a Pi's kernel does and gpio-sim does not."""


def simulated_rig(folder: Path, active_high: bool) -> Rig:
    wanted = settings.Relay(driver="simulated", active_high=active_high)
    simulation = settings.Simulation(directory=str(folder))

    def seen() -> list[bool]:
        log = folder / "display.log"
        return (
            [line.endswith(" on") for line in log.read_text().splitlines()] if log.exists() else []
        )

    return Rig(lambda: simulated.create(wanted, simulation), seen)


def mock_pin_rig(active_high: bool) -> Rig:
    """The pin is released before, pulled to the side where the relay is off."""
    lines = subjects.MockLines("Display relay")
    wanted = settings.Relay(driver="gpio", line=17, active_high=active_high)
    pin = lines.mock.pin(17)
    pin.pull = "down" if active_high else "up"
    pin.clear_states()

    def seen() -> list[bool]:
        return [state.state == active_high for state in pin.states[1:]]

    return Rig(lambda: gpio.GpioRelay(wanted, lines), seen)


def chip_rig(active_high: bool) -> Rig:
    """A line of the kernel's gpio-sim, whose trace tells every edge."""
    label, line = subjects.named("DIEMCAU_TEST_GPIO", "GPIO chip").split(":")
    wanted = settings.Relay(driver="gpio", chip=label, line=int(line), active_high=active_high)
    chip = SimulatedLine(int(line))
    chip.pull(not active_high)

    def seen() -> list[bool]:
        assert not chip.was_made_an_input()
        states = [level == active_high for level in chip.levels_driven()]
        return states[1:] if states[:1] == [False] else states

    return Rig(
        lambda: gpio.create(wanted, settings.Simulation()),
        seen,
        lambda on: chip.pull(on == active_high),
    )


@pytest.fixture(params=["simulated", "mock-pin", "chip"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[True, False], ids=["active-high", "active-low"])
def rig(request: pytest.FixtureRequest, kind: str, tmp_path: Path) -> Rig:
    if kind == "simulated":
        return simulated_rig(tmp_path, request.param)
    return mock_pin_rig(request.param) if kind == "mock-pin" else chip_rig(request.param)


@pytest.fixture
def relay(rig: Rig) -> Iterator[DisplayRelay]:
    relay = rig.make()
    yield relay
    relay.close()


def test_opening_as_it_is_changes_nothing(rig: Rig, relay: DisplayRelay) -> None:
    assert relay.open(None) is False
    assert rig.seen() == []


def test_opening_on_goes_on_once(rig: Rig, relay: DisplayRelay) -> None:
    assert relay.open(True) is True
    assert rig.seen() == [True]


def test_switching_is_seen_once_however_often_it_is_said(rig: Rig, relay: DisplayRelay) -> None:
    relay.open(False)
    for on in (True, True, False, False, True):
        relay.switch(on)
    assert rig.seen() == [True, False, True]


def test_a_restart_of_the_agent_does_not_touch_the_display(rig: Rig, relay: DisplayRelay) -> None:
    relay.open(True)
    rig.keep(True)
    relay.close()
    relay.close()
    again = rig.make()
    assert again.open(None) is True
    again.close()
    third = rig.make()
    assert third.open(True) is True
    third.close()
    assert rig.seen() == [True]


def test_a_stuck_relay_is_told(tmp_path: Path) -> None:
    relay = simulated_rig(tmp_path, True).make()
    relay.open(False)
    (tmp_path / "display").write_text("stuck")
    with pytest.raises(DeviceError, match="check the relay board"):
        relay.switch(True)
    relay.close()


def test_a_line_that_does_not_follow_is_told() -> None:
    rig = mock_pin_rig(True)
    relay = rig.make()
    relay.open(False)
    pin = relay._output.pin  # type: ignore[attr-defined]
    pin._change_state = lambda value: False  # the line is short-circuited to ground
    with pytest.raises(DeviceError, match="does not follow"):
        relay.switch(True)


def test_a_held_line_is_busy_and_names_the_holder() -> None:
    class HeldLines(subjects.MockLines):
        def holder(self, line: int) -> str:
            return "gpiomon"

    lines = HeldLines("Display relay")
    wanted = settings.Relay(driver="gpio", line=17)
    first = gpio.GpioRelay(wanted, lines)
    first.open(False)
    with pytest.raises(DeviceBusy, match="GPIO line 17 is held by 'gpiomon'"):
        gpio.GpioRelay(wanted, lines).open(False)


def test_a_line_that_no_header_has_is_refused() -> None:
    relay = gpio.GpioRelay(
        settings.Relay(driver="gpio", line=77), subjects.MockLines("Display relay")
    )
    with pytest.raises(DeviceError, match=r"line 77 cannot be used.*0 to 27"):
        relay.open(False)


def test_an_absent_chip_is_told_at_opening_and_by_the_probe(tmp_path: Path) -> None:
    wanted = settings.Relay(driver="gpio", chip="no-such-chip")
    with pytest.raises(DeviceAbsent, match=r"no GPIO chip 'no-such-chip' found \(found: "):
        gpio.create(wanted, settings.Simulation()).open(None)
    (tmp_path / "display").write_text("unplugged")
    simulation = settings.Simulation(directory=str(tmp_path))
    told = simulated.probe(settings.Relay(driver="simulated"), simulation)
    assert told.status is Status.ABSENT
