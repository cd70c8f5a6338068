"""Between meetings: the screen with the room's name, and what is announced. That a call also rings is the bell's."""

from __future__ import annotations

import threading

from msgspec import structs

from agent.core.model.media import Instruction, SetAnnouncement, StandbyPlan
from agent.media.loop import Loop
from agent.media.picture.announcing import Announcing
from agent.media.picture.screen import Screen
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter, Send
from agent.settings import Output

FRAMERATE = 2
"""Nothing moves; but a cable that is plugged in, and a call, are to be seen soon."""


class Standby:
    """From `start()` to `close()`."""

    def __init__(
        self, loop: Loop, clock: SharedClock, output: Output, plan: StandbyPlan, send: Send
    ) -> None:
        output = structs.replace(output, framerate=FRAMERATE)
        self._plan = plan
        self._screen = Screen(loop, clock, output, DeviceReporter("display", False, send))
        self._announcing = Announcing(self._screen, send)

    def start(self) -> None:
        """Show the picture."""
        self._screen.entitle(self._plan.room_name)
        self._screen.start()
        self._announcing.set(self._plan.announcement)

    def apply(self, instruction: Instruction) -> None:
        """Only announcements have a meaning here."""
        if isinstance(instruction, SetAnnouncement):
            self._announcing.set(instruction.announcement)

    def close(self) -> list[threading.Thread]:
        """Take it away."""
        self._screen.close()
        return []
