"""The conductor's one loop: events in, journal, then effects; and the answers to whoever asks."""

from __future__ import annotations

import logging
import queue
from collections.abc import Iterable

from agent.conductor.board import Board
from agent.conductor.core.conductor import Conductor
from agent.conductor.core.deciding import never_seen
from agent.conductor.core.minutes import minutes
from agent.conductor.core.model.acts import End, MuteAll, StartMeeting, Take, room_of
from agent.conductor.core.model.effects import Announce, Changed, Effect, Record, Send
from agent.conductor.core.model.entries import Acted, Entry
from agent.conductor.core.model.events import ActKept, DueCame, Event, LinkDown, LinkUp
from agent.conductor.core.model.seen import SeenConductor
from agent.conductor.core.refused import Refused
from agent.conductor.link import ConductorLink, Heard
from agent.conductor.requests import (
    Answer,
    Asked,
    Audited,
    AuditLine,
    ErrorAnswer,
    ListMeetings,
    Past,
    Question,
    ShowAudit,
    ShowDay,
    ShowMinutes,
    ShowRooms,
)
from agent.conductor.store.journal import Journal
from agent.conductor.tokens import Tokens
from agent.conductor.wire import HubTopics, encode_order
from agent.core.model.documents import Connection
from agent.core.model.tag import tag_of
from agent.errors import AgentError, JournalError
from agent.hub.signature import Signer
from agent.runtime.clock import SystemClock
from agent.runtime.systemd import Notifier

log = logging.getLogger(__name__)

MAX_BATCH = 200
"""Messages that share one commit: 212 rooms answer at once, and a disk writes them at one go."""

IDLE_SECONDS = 10.0
"""The loop turns at least so often, though nothing happens."""

SHOW_SECONDS = 0.05
"""Between two pictures of it all for the page: 212 rooms that answer one after the other would make as many."""

SIGNED_SECONDS = 3600.0
"""How long after it was signed a command may be carried out."""

CLOSES = (End, Take, MuteAll)
"""Acts that only close something: done also while the journal can't be written."""


class Stop:
    """End the loop."""


Item = Heard | LinkUp | LinkDown | Asked | Audited | Stop
Inbox = queue.SimpleQueue[Item]


class Outside:
    """What the loop acts upon."""

    def __init__(
        self,
        link: ConductorLink,
        topics: HubTopics,
        journal: Journal,
        tokens: Tokens | None,
        signer: Signer | None,
        board: Board,
    ) -> None:
        self.link = link
        self.topics = topics
        self.journal = journal
        self.tokens = tokens
        self.signer = signer
        self.board = board


class Loop:
    """`run` until `Stop`; the only thread that touches core and journal."""

    def __init__(
        self,
        inbox: Inbox,
        core: Conductor,
        outside: Outside,
        clock: SystemClock,
        notifier: Notifier,
    ) -> None:
        self._inbox = inbox
        self._core = core
        self._outside = outside
        self._clock = clock
        self._notifier = notifier
        self._unshown: set[str] = set()
        self._unshown_day = self._unshown_any = False
        self._shown_seconds = float("-inf")

    def run(self) -> None:
        """Returns after `Stop`. Each turn tells systemd that the loop lives."""
        while True:
            items = self._wait()
            if any(isinstance(item, Stop) for item in items):
                return
            self._take(items)
            self._show()
            self._notifier.watchdog()

    def said(self) -> SeenConductor:
        """Our own document, as it is now."""
        profile = self._core.profile
        running = [one.id for one in self._core.running() if not one.rival]
        return SeenConductor(profile.name, Connection.ONLINE, running, profile.since)

    def _wait(self) -> list[Item]:
        due, now = self._core.due_at(), self._clock.now().monotonic_seconds
        seconds = IDLE_SECONDS if due is None else min(IDLE_SECONDS, max(0.0, due - now))
        watchdog = self._notifier.watchdog_interval_seconds
        if watchdog is not None:
            seconds = min(seconds, watchdog)
        if self._unshown_any:
            seconds = min(seconds, max(0.0, self._shown_seconds + SHOW_SECONDS - now))
        items: list[Item] = []
        try:
            items.append(self._inbox.get(timeout=seconds) if seconds else self._inbox.get_nowait())
            while len(items) < MAX_BATCH:
                items.append(self._inbox.get_nowait())
        except queue.Empty:
            pass
        return items

    def _take(self, items: Iterable[Item]) -> None:
        """Handle all, write once, then do what follows, then acknowledge."""
        effects: list[Effect] = []
        deliveries = []
        for item in items:
            match item:
                case Heard(seen, delivery):
                    if seen is not None:
                        effects += self._handle(seen)
                    if delivery is not None:
                        deliveries.append(delivery)
                case LinkUp() | LinkDown():
                    effects += self._handle(item)
                case Asked():
                    self._perform(effects)
                    effects = []
                    self._ask(item)
                case Audited(who, what, outcome):
                    at = self._clock.now().wall.isoformat()
                    self._outside.journal.audit(at, who, what, outcome)
        due = self._core.due_at()
        if due is not None and due <= self._clock.now().monotonic_seconds:
            effects += self._handle(DueCame())
        self._perform(effects)
        for delivery in deliveries:
            self._outside.link.acknowledge(delivery)

    def _handle(self, event: Event) -> list[Effect]:
        return self._core.handle(event, self._clock.now())

    # --- effects -----------------------------------------------------------------------------------

    def _perform(self, effects: list[Effect]) -> None:
        entries = [effect.entry for effect in effects if isinstance(effect, Record)]
        if entries:
            self._write(entries)
        for effect in effects:
            match effect:
                case Send():
                    self._send(effect)
                case Changed():
                    self._unshown |= effect.rooms
                    self._unshown_day |= effect.day
                    self._unshown_any = True
                case Announce():
                    self._outside.link.say(self.said())

    def _write(self, entries: list[Entry]) -> None:
        try:
            self._outside.journal.write(entries)
        except JournalError:
            self._outside.journal.write_later(entries)

    def _send(self, effect: Send) -> None:
        now = self._clock.now().wall
        order, outside = effect.order, self._outside
        if outside.tokens is not None:
            order = outside.tokens.fill(effect.room, order, now.timestamp())
        kind = tag_of(order)
        payload = encode_order(effect.id, order)
        if outside.signer is not None:
            payload = outside.signer.sign_command(
                payload, f"room/{effect.room}", now, SIGNED_SECONDS
            ).encode()
        outside.link.send(outside.topics.command(effect.room, kind), payload)

    def _show(self) -> None:
        """What has changed, once its time has come."""
        now = self._clock.now()
        if not self._unshown_any or now.monotonic_seconds < self._shown_seconds + SHOW_SECONDS:
            return
        core, trouble = self._core, self._outside.journal.trouble
        self._outside.board.show(
            [core.views.room(room) for room in self._unshown],
            core.views.meetings(),
            core.link_text if not core.link_up else trouble,
            core.views.day(now.wall) if self._unshown_day else None,
        )
        self._unshown, self._unshown_day, self._unshown_any = set(), False, False
        self._shown_seconds = now.monotonic_seconds

    # --- requests ----------------------------------------------------------------------------------

    def _ask(self, asked: Asked) -> None:
        try:
            answer: Answer | ErrorAnswer = self._answer(asked)
        except AgentError as error:
            answer = ErrorAnswer(error.code, error.text)
        except Exception as error:
            log.exception("a request stumbled")
            answer = ErrorAnswer("mistake", f"a mistake in the conductor: {error!r}")
        self._audit(asked, answer)
        asked.reply(answer)

    def _answer(self, asked: Asked) -> Answer:
        request, views, journal = asked.request, self._core.views, self._outside.journal
        link = "" if self._core.link_up else self._core.link_text
        match request:
            case ListMeetings(past=past):
                starts = journal.starts() if past else []
                return Answer(meetings=views.meetings(), past=[*map(_past, starts)], link=link)
            case ShowRooms():
                return Answer(rooms=views.rooms(), link=link)
            case ShowDay():
                return Answer(day=views.day(self._clock.now().wall), link=link)
            case ShowMinutes():
                found = minutes(journal.entries_of(self._number_of(request)))
                if found is None:
                    raise Refused("no-such-meeting", "there was no such meeting")
                names = {room: self._core.rooms[room].name for room in found.rooms}
                return Answer(minutes=found, names=names)
            case ShowAudit(count=count):
                return Answer(audit=[AuditLine(*line) for line in journal.audit_lines(count)])
        entry = self._core.decide(request, asked.by, self._clock.now())
        strangers = "" if link else never_seen(request, self._core.rooms)
        warning = self._keep(entry) or strangers
        self._perform(self._handle(ActKept(entry)))
        meeting = self._core.meetings.get(entry.what.number)
        view = views.meeting(meeting) if meeting else None
        return Answer(meeting=view, link=link, warning=warning)

    def _keep(self, entry: Entry) -> str:
        """In the journal before it is done. What only closes is done anyway; then a warning."""
        try:
            self._outside.journal.write([entry])
        except JournalError as error:
            assert isinstance(entry.what, Acted)
            if not isinstance(entry.what.act, CLOSES):
                raise
            self._outside.journal.write_later([entry])
            return error.text
        return ""

    def _number_of(self, request: ShowMinutes) -> int:
        if request.number is not None:
            return request.number
        for meeting in self._core.running():
            if meeting.id == request.meeting:
                return meeting.number
        for entry in self._outside.journal.starts():
            what = entry.what
            assert isinstance(what, Acted)
            if what.act.meeting == request.meeting:
                return what.number
        raise Refused("no-such-meeting", f"there was no meeting {request.meeting}")

    def _audit(self, asked: Asked, answer: Answer | ErrorAnswer) -> None:
        request = asked.request
        if isinstance(request, Question):
            return
        kind = tag_of(request)
        what = f"{kind} {request.meeting} {room_of(request)}".strip()
        outcome = answer.code if isinstance(answer, ErrorAnswer) else "done"
        self._outside.journal.audit(self._clock.now().wall.isoformat(), asked.by, what, outcome)


def _past(entry: Entry) -> Past:
    what = entry.what
    assert isinstance(what, Acted)
    assert isinstance(what.act, StartMeeting)
    return Past(what.number, what.act.meeting, what.act.title, entry.at.isoformat(), entry.by)
