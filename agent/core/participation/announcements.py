"""What the screen shows beside the meeting or the room's name: a call, else a message, else a check, else a join that
is tried again, else the meeting that begins soon; between meetings, if there is none of these, what comes next.

Whoever has something to say sets it here; the media process gets what goes before the rest, a new one
in its plan.
"""

from __future__ import annotations

from typing import Literal

from agent.core.context import Context
from agent.core.devices.display import DisplayPower
from agent.core.devices.media_process import MediaProcess
from agent.core.model.announcement import Announcement, LookAhead, ringing

Slot = Literal["call", "message", "check", "retry", "agenda"]
"""Who says something."""

ORDER: tuple[Slot, ...] = ("call", "message", "check", "retry", "agenda")


class Announcements:
    """One in each slot at the most."""

    def __init__(self, context: Context, display: DisplayPower, process: MediaProcess) -> None:
        self._profile = context.profile
        self._display = display
        self._process = process
        self._all: dict[Slot, Announcement] = {}
        self._ahead: LookAhead | None = None

    @property
    def shown(self) -> Announcement | None:
        """The one that goes before the others."""
        return self._urgent or self._ahead

    @property
    def _urgent(self) -> Announcement | None:
        return next((self._all[slot] for slot in ORDER if slot in self._all), None)

    @property
    def wants_process(self) -> bool:
        """Whether a media process has something to do for it between meetings."""
        urgent = self._urgent
        return urgent is not None and (self._profile.has_screen or ringing(urgent) is not None)

    def set(self, slot: Slot, announcement: Announcement) -> None:
        """Show it, with the display on; it replaces the one in its slot."""
        self._all[slot] = announcement
        self._display.want_on()
        self._process.announce(self.shown)

    def look_ahead(self, announcement: LookAhead | None) -> None:
        """What is said while nothing else is, or None. It switches no display on and needs no media process: who has the
        display on between meetings reads it.
        """
        if announcement == self._ahead:
            return
        self._ahead = announcement
        if self._urgent is None:
            self._process.announce(announcement)

    def clear(self, slot: Slot, *, in_meeting: bool) -> None:
        """Take it away; between meetings the display goes off after a while unless it is kept on."""
        if self._all.pop(slot, None) is None:
            return
        self._process.announce(self.shown)
        if not (in_meeting or self._all):
            self._display.rest()
