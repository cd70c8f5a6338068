"""The one media process: started, ended, and started again ever more slowly when it keeps failing."""

from __future__ import annotations

from msgspec import structs

from agent.core.again import share
from agent.core.context import Context
from agent.core.model.announcement import Announcement, LookAhead
from agent.core.model.deadlines import MediaStartDue
from agent.core.model.effects import (
    CancelDeadline,
    InstructMedia,
    RememberSessions,
    SetDeadline,
    StartMedia,
    StopMedia,
)
from agent.core.model.media import MediaPlan, MeetingPlan, OpenSession, SetAnnouncement

FIRST_BACKOFF_SECONDS = 0.5
MAX_BACKOFF_SECONDS = 30.0
MAX_DOUBLINGS = 10
"""More would only end in an overflow, after hours of failures."""


class MediaProcess:
    """Which media process counts. One at a time, because it holds the devices."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._room = context.profile.room
        self._do = context.do
        self._generation = 0
        self.running = False
        self.announcement: Announcement | None = None
        """What a process shows beside its meeting or the room's name."""
        self.in_meeting = False
        """Whether the one that runs carries a meeting, and so listens to what is said about it."""

        self.sessions: list[OpenSession] = []
        """What it has open at servers; after its end, what it could not end itself."""

        self.ready = False
        """Whether it has spoken: until then it loads its libraries, seconds on a Pi, and has nothing open."""

    def start(self, plan: MediaPlan) -> None:
        """Start a media process; its reports carry the new generation."""
        self._generation += 1
        self.running = True
        self.in_meeting = isinstance(plan, MeetingPlan)
        self.ready = False
        plan = structs.replace(plan, announcement=self.announcement)
        if isinstance(plan, MeetingPlan):
            is_set = self._context.clock_is_set
            plan = structs.replace(plan, leftovers=self.sessions, clock_is_set=is_set)
            if isinstance(self.announcement, LookAhead):
                plan = structs.replace(plan, announcement=None)  # it is said between meetings alone
        self._do(StartMedia(self._generation, plan))

    def hold(self, sessions: list[OpenSession]) -> None:
        """These are open at servers now."""
        self.sessions = sessions
        self._do(RememberSessions(sessions))

    def announce(self, announcement: Announcement | None) -> None:
        """Show this, or nothing any more; a process that is still to be started has it in its plan."""
        self.announcement = announcement
        if self.running:
            self._do(InstructMedia(SetAnnouncement(announcement)))

    def stop(self) -> None:
        """End it; `MediaExited` follows."""
        self._do(StopMedia())

    def is_current(self, generation: int) -> bool:
        """Whether what this media process says counts."""
        return self.running and generation == self._generation

    def exited(self) -> None:
        """It is gone."""
        self.running = self.in_meeting = self.ready = False

    def start_later(self, failures: int) -> None:
        """Be told by `MediaStartDue` when to try again."""
        self._do(SetDeadline(MediaStartDue(), self._backoff_seconds(failures)))

    def cancel_start(self) -> None:
        """Don't try again."""
        self._do(CancelDeadline(MediaStartDue()))

    def _backoff_seconds(self, failures: int) -> float:
        """Doubles; the rooms of one hub are spread by their id, always in the same way."""
        spread = 0.75 + 0.5 * share(f"{self._room}/{failures}")
        return (
            min(
                FIRST_BACKOFF_SECONDS * 2.0 ** min(failures - 1, MAX_DOUBLINGS), MAX_BACKOFF_SECONDS
            )
            * spread
        )
