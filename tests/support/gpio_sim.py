"""The kernel's gpio-sim, seen from the other side: what a driver did to a line, edge by edge.

For machines whose kernel has it (scripts/test-vm); the tests that need it skip elsewhere.
"""

from __future__ import annotations

import re
from pathlib import Path

TRACING = Path("/sys/kernel/tracing")

_VALUE = re.compile(r"gpio_value: \d+ set (\d)")
_INPUT = re.compile(r"gpio_direction: \d+ +in ")


class SimulatedLine:
    """One line of the only gpio-sim chip."""

    def __init__(self, line: int) -> None:
        (self._folder,) = Path("/sys/devices/platform").glob(f"gpio-sim*/gpiochip*/sim_gpio{line}")
        (TRACING / "events/gpio/enable").write_text("1")
        (TRACING / "tracing_on").write_text("1")
        (TRACING / "trace").write_text("")

    def pull(self, high: bool) -> None:
        """What the line is when nobody drives it. gpio-sim forgets an output once it is released."""
        (self._folder / "pull").write_text("pull-up" if high else "pull-down")

    def level(self) -> bool:
        return (self._folder / "value").read_text().strip() == "1"

    def levels_driven(self) -> list[bool]:
        """Every level that drivers put on the line, in order, without repetitions."""
        found = [level == "1" for level in _VALUE.findall(self._trace())]
        return [level for at, level in enumerate(found) if at == 0 or level != found[at - 1]]

    def was_made_an_input(self) -> bool:
        """Whether a driver let go of the line meanwhile: a relay would have clicked."""
        return _INPUT.search(self._trace()) is not None

    def _trace(self) -> str:
        return (TRACING / "trace").read_text()
