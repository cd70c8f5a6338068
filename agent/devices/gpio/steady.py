"""gpiozero's lgpio factory without the blips: an output is claimed once, in its final state.

gpiozero's own pin claims every line as an input first and makes it one again at the end: a relay
would click at each start and stop of the agent (failure row 9).
"""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections import defaultdict
from typing import Any

from gpiozero.exc import PinUnknownPi

with contextlib.chdir(os.environ.get("LG_WD") or tempfile.gettempdir()):
    # At import lgpio writes a FIFO into LG_WD or the working directory, and stays there (row 8).
    import lgpio
    from gpiozero.pins.lgpio import LGPIOFactory, LGPIOPin

PI_4_REVISION = 0xA03111
"""Assumed on machines that are no Pi, such as a virtual one: its header has lines 0 to 27 too."""


class SteadyPin(LGPIOPin):  # type: ignore[misc]
    """A pin that is left alone until its direction is known, and when it is closed."""

    def __init__(self, factory: Any, info: Any) -> None:
        super(LGPIOPin, self).__init__(factory, info)  # without LGPIOPin's claim as an input
        self._pwm = self._bounce = self._callback = None
        self._edges = lgpio.BOTH_EDGES

    def output_with_state(self, state: bool) -> None:
        """Claim as an output at this level, in one request to the kernel."""
        lgpio.gpio_claim_output(self.factory._handle, self._number, int(state))

    def close(self) -> None:
        """Leave the line as it is: closing the factory frees it, and a Pi's kernel keeps outputs.

        Its callback must go, though: an edge on the line's next owner would end lgpio's thread.
        """
        if self._callback is not None:
            self._callback.cancel()
            self._callback = None


class SteadyFactory(LGPIOFactory):  # type: ignore[misc]
    """Pins of one chip, shared with no other factory."""

    def __init__(self, chip: int) -> None:
        super().__init__(chip)
        self.pin_class = SteadyPin
        self.pins: dict[Any, Any] = {}
        self._reservations: defaultdict[Any, list[Any]] = defaultdict(list)

    def _get_revision(self) -> int:
        try:
            return int(super()._get_revision())
        except PinUnknownPi:
            return PI_4_REVISION
