"""How the daemon ends: told to stop, or to start anew once the room is in no meeting.

The media process is seen out first, so that what was open is reported closed. The meeting stays on
disk: whoever starts the agent again has the room back in it.
"""

from __future__ import annotations

from agent.core.context import Context
from agent.core.meeting.lifecycle import Lifecycle
from agent.core.model.deadlines import StopOver
from agent.core.model.documents import Phase
from agent.core.model.effects import EndDaemon, RestartScope, SetDeadline, SetServiceStatus

STOP_SECONDS = 6.0
"""SIGTERM and SIGKILL have reached the media process by then; the supervisor reaps what is left."""


class Ending:
    """Whether the daemon is on its way out."""

    def __init__(self, context: Context, lifecycle: Lifecycle) -> None:
        self._do = context.do
        self._answers = context.answers
        self._throttle = context.throttle
        self._lifecycle = lifecycle
        self._reload_wanted = False
        self._restart: RestartScope = "no"
        self.under_way = False

    def stop(self, reason: str) -> None:
        """End once the media process is gone; told a second time, at once."""
        self._do(SetServiceStatus(f"stopping: {reason}"))
        again, self.under_way = self.under_way, True
        if again or not self._lifecycle.process.running:
            self.finish()
            return
        self._lifecycle.process.stop()
        self._do(SetDeadline(StopOver(), STOP_SECONDS))

    def restart(self, scope: RestartScope) -> None:
        """End as at a stop, and start anew; commands from now on are for the next run."""
        self._restart = scope
        self.stop(f"restarting the {scope}")

    def finish(self) -> None:
        """The media process is gone, or had its time."""
        self._throttle.release()
        self._do(EndDaemon(self._restart))

    def want_reload(self) -> None:
        """Start anew, with what is on disk by then, as soon as nobody is disturbed by it."""
        self._reload_wanted = True

    def check(self) -> None:
        """Look whether the moment for a reload has come: no meeting, no command under way."""
        idle = self._lifecycle.phase is Phase.STANDBY and not self._answers.open
        if self._reload_wanted and idle and not self.under_way:
            self._reload_wanted = False
            self.restart("agent")
