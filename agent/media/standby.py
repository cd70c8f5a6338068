"""The quiet picture between meetings: the screen with the room's name, and nothing else is opened."""

from __future__ import annotations

import threading

from msgspec import structs

from agent.core.model.media import StandbyPlan
from agent.media.context import Context
from agent.media.picture.screen import Screen
from agent.media.reporting import DeviceReporter

FRAMERATE = 1
"""Nothing moves; only a cable that is plugged in is to be seen soon."""


class Standby:
    """From `start()` to `close()`."""

    def __init__(self, context: Context, plan: StandbyPlan) -> None:
        output = structs.replace(context.devices.display.output, framerate=FRAMERATE)
        reporter = DeviceReporter("display", False, context.send)
        self._name = plan.room_name
        self._screen = Screen(context.loop, context.clock, output, reporter)

    def start(self) -> None:
        """Show the picture."""
        self._screen.entitle(self._name)
        self._screen.start()

    def close(self) -> list[threading.Thread]:
        """Take it away; no thread is left to wait for."""
        self._screen.close()
        return []
