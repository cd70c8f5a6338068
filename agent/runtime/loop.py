"""The daemon's one loop: takes an event from the inbox, asks the core, has the effects performed.

Everything else (network, GPIO, media process, control socket) only puts something into the inbox. The
watchdog is fed from here and nowhere else, and only while the hub link's thread lives too.
"""

from __future__ import annotations

import logging
import queue
from contextlib import suppress

from msgspec import structs

from agent.core.model.commands import Ack, Restart
from agent.core.model.effects import Effect
from agent.core.model.events import (
    CommandReceived,
    CommandRefused,
    DeadlinePassed,
    Event,
    LinkChanged,
    MediaExited,
    MediaReported,
    ReloadRequested,
)
from agent.core.model.media import SnapshotTaken
from agent.core.room import Room
from agent.errors import JournalError
from agent.runtime.control import QueryReceived
from agent.runtime.inbox import Inbox
from agent.runtime.outside import Outside
from agent.runtime.performer import Performer
from agent.runtime.queries import Queries

log = logging.getLogger(__name__)

MAX_EVENTS_A_TURN = 100
"""Events taken before deadlines and the watchdog get their turn."""

ASKED = (QueryReceived, CommandReceived, CommandRefused)
"""What somebody asks for: each may be a commit, and a hundred of them would hold up a deadline for seconds."""

ALONE = (
    *ASKED,
    ReloadRequested,
    LinkChanged,
    MediaExited,
)
"""What is answered, or looked up, by what the daemon has done and written so far."""


class Loop:
    """Runs until the core says `EndDaemon`."""

    def __init__(
        self,
        inbox: Inbox[Event | QueryReceived],
        room: Room,
        performer: Performer,
        queries: Queries,
        outside: Outside,
    ) -> None:
        self._inbox = inbox
        self._room = room
        self._performer = performer
        self._queries = queries
        self._outside = outside
        self._effects: list[Effect] = []
        """Of the turn's events so far, not performed yet."""

    def run(self, first: Event) -> str:
        """From this event to the end; returns what shall be restarted: `no`, `agent` or `host`."""
        self._handle(first)
        self._perform()
        while self._performer.ended is None:
            self._step()
        return self._performer.ended

    def _step(self) -> None:
        with suppress(queue.Empty):
            self._take(self._inbox.get(timeout=self._patience_seconds()))
            for _ in range(MAX_EVENTS_A_TURN):  # an answer that is here beats its deadline
                if not self._inbox.has_room_event():
                    self._perform()  # while that is written something may come that goes before the next command
                item = self._inbox.get_nowait()
                self._take(item)
                if isinstance(item, ASKED) and self._is_due():
                    break  # what the room itself said was taken before this
        self._perform()
        for deadline in self._outside.timers.due(self._outside.clock.now().monotonic_seconds):
            self._handle(DeadlinePassed(deadline))
        self._perform()
        notifier = self._outside.notifier
        if notifier.watchdog_interval_seconds is not None and self._outside.hub.alive():
            notifier.watchdog()

    def _is_due(self) -> bool:
        """Whether a deadline has passed."""
        return self._seconds_to_deadline() == 0

    def _seconds_to_deadline(self) -> float | None:
        return self._outside.timers.seconds_to_next(self._outside.clock.now().monotonic_seconds)

    def _patience_seconds(self) -> float | None:
        """How long the loop may sleep."""
        waits = (self._seconds_to_deadline(), self._outside.notifier.watchdog_interval_seconds)
        return min((wait for wait in waits if wait is not None), default=None)

    def _take(self, item: Event | QueryReceived) -> None:
        """What only the core judges by may wait for the turn's other events; the rest finds all done before it."""
        if isinstance(item, ALONE):
            self._perform()
        match item:
            case QueryReceived():
                if item.before is not None:
                    self._handle(item.before)
                    self._perform()
                self._queries.answer(item, self._outside.clock.now())
            case CommandReceived():
                known, earlier = self._look_up(item.command.id)
                problem = self._settings_problem(item)
                self._handle(
                    structs.replace(item, known=known, earlier=earlier, settings_problem=problem)
                )
            case ReloadRequested():
                self._handle(ReloadRequested(self._outside.settings_problem()))
            case CommandRefused(id=str() as command_id):
                known, earlier = self._look_up(command_id)
                self._handle(structs.replace(item, known=known, earlier=earlier))
            case MediaReported(report=SnapshotTaken() as report):
                self._queries.snapshot_taken(report)
            case LinkChanged():
                self._performer.outflow.link_changed(item)
                self._handle(item)
            case MediaExited():
                self._queries.process_gone()
                self._handle(item)
            case _:
                self._handle(item)

    def _settings_problem(self, event: CommandReceived) -> str:
        """Looked up only for the command that would end the daemon, or the machine with it."""
        restarts = isinstance(event.command.body, Restart)
        return self._outside.settings_problem() if restarts else ""

    def _look_up(self, command_id: str) -> tuple[bool, Ack | None]:
        """The journal's word on the id, so that a repeat is answered and not run."""
        try:
            return self._outside.journal.look_up(command_id)
        except JournalError as error:
            log.error("the journal cannot be read: %s", error)
            return False, None

    def _handle(self, event: Event) -> None:
        self._effects += self._room.handle(event, self._outside.clock.now())

    def _perform(self) -> None:
        """What the events of one moment ask for is one commit and one message, where their order allows it."""
        if self._effects:
            effects, self._effects = self._effects, []
            self._performer.perform(effects)
