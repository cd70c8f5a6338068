"""The quiet picture between meetings: a media process that has the screen and nothing else.

It never opens camera, microphone or loudspeaker, and makes way for a meeting's process.
"""

from __future__ import annotations

from agent.core.context import Context
from agent.core.devices.media_process import MediaProcess
from agent.core.model.media import StandbyPlan


class StandbyScreen:
    """Shows the room's name while the display is on and nothing else is shown."""

    def __init__(self, context: Context, process: MediaProcess) -> None:
        self._profile = context.profile
        self._process = process
        self._failures = 0
        self._ending = False
        self._paused = False
        self.showing = False

    def follow(self, wanted: bool) -> None:
        """Begin or end, as the display, the announcements and the room's phase want it."""
        if not wanted:
            self.end()
        elif not self._process.running and not self._paused:
            self.showing = True
            self._process.start(StandbyPlan(self._profile.room, self._profile.name))

    def end(self) -> None:
        """Take the picture away; the media process's exit follows."""
        if self.showing and not self._ending:
            self._ending = True
            self._process.stop()

    def exited(self) -> None:
        """The media process is gone: as wished, or it is tried again later, ever more slowly."""
        self._failures = 0 if self._ending else self._failures + 1
        self._paused = not self._ending
        self.showing = self._ending = False
        if self._paused:
            self._process.start_later(self._failures)

    def retry(self) -> None:
        """The pause after a failure is over."""
        self._paused = False
