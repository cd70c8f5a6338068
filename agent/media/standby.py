"""Between meetings: the screen with the room's name, what comes next, and what is announced.

That a call also rings is the bell's.
"""

from __future__ import annotations

import threading

from msgspec import structs

from agent.core.model.announcement import Announcement, LookAhead
from agent.core.model.media import Instruction, SetAnnouncement, StandbyPlan
from agent.media.loop import Loop, Timer
from agent.media.picture.announcing import Announcing, lines
from agent.media.picture.screen import Screen
from agent.media.pipeline import SharedClock
from agent.media.reporting import DeviceReporter, Send
from agent.settings import Output

FRAMERATE = 2
"""Nothing moves; but a cable that is plugged in, and a call, are to be seen soon."""

REWRITE_SECONDS = 30.0
"""At midnight tomorrow becomes today."""


class Standby:
    """From `start()` to `close()`."""

    def __init__(
        self, loop: Loop, clock: SharedClock, output: Output, plan: StandbyPlan, send: Send
    ) -> None:
        output = structs.replace(output, framerate=FRAMERATE)
        self._loop = loop
        self._plan = plan
        self._ahead: LookAhead | None = None
        self._timer: Timer | None = None
        self._screen = Screen(loop, clock, output, DeviceReporter("display", False, send))
        self._announcing = Announcing(self._screen, send)

    def start(self) -> None:
        """Show the picture."""
        self._screen.start()
        self._show(self._plan.announcement)
        self._timer = self._loop.every(REWRITE_SECONDS, self._entitle)

    def apply(self, instruction: Instruction) -> None:
        """Only announcements have a meaning here."""
        if isinstance(instruction, SetAnnouncement):
            self._show(instruction.announcement)

    def _show(self, announcement: Announcement | None) -> None:
        """What comes next stands beneath the room's name, all else in place of it."""
        ahead = announcement if isinstance(announcement, LookAhead) else None
        self._ahead = ahead
        self._entitle()
        self._announcing.set(None if ahead else announcement)

    def _entitle(self) -> None:
        beneath = lines(self._ahead) if self._ahead else []
        self._screen.entitle("\n".join([self._plan.room_name, *beneath]))

    def close(self) -> list[threading.Thread]:
        """Take it away."""
        if self._timer:
            self._timer.cancel()
        self._screen.close()
        return []
