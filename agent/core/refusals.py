"""What was refused and has no ack to say so, or smells of somebody trying: one event a minute at most.

However much of it comes, the journal and the SD card under it get a line a minute, with the count.
"""

from __future__ import annotations

from agent.core.context import Context
from agent.core.model.clock import Now
from agent.core.model.commands import Code
from agent.core.model.deadlines import RefusalsDue
from agent.core.model.documents import EventDetail, EventDocument
from agent.core.model.effects import PublishEvent, SetDeadline
from agent.core.model.events import CommandRefused

WINDOW_SECONDS = 60.0

SUSPICIOUS = {Code.UNSIGNED, Code.BAD_SIGNATURE, Code.NOT_PERMITTED}


class Refusals:
    """Counts refusals and tells of them."""

    def __init__(self, context: Context) -> None:
        self._room = context.profile.room
        self._do = context.do
        self._last: CommandRefused | None = None
        self._count = 0
        self._waiting = False

    def note(self, event: CommandRefused, now: Now) -> None:
        """The first is told at once, those of the minute after it together."""
        if event.id is not None and event.code not in SUSPICIOUS:
            return
        self._count += 1
        self._last = event
        if not self._waiting:
            self._tell(event, now)

    def due(self, now: Now) -> None:
        """The minute is over."""
        self._waiting = False
        if self._last is not None:
            self._tell(self._last, now)

    def _tell(self, last: CommandRefused, now: Now) -> None:
        detail = EventDetail(count=self._count, type=last.type, command=last.id)
        self._do(
            PublishEvent(
                EventDocument("command-refused", self._room, last.code, last.text, now.wall, detail)
            )
        )
        self._last, self._count, self._waiting = None, 0, True
        self._do(SetDeadline(RefusalsDue(), WINDOW_SECONDS))
