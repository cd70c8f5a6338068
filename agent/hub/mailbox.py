"""Work for the link's thread, put in by any other; `wake` is what that thread selects on.

Open only while there is a connection, and bounded: nothing is kept for later here, the journal does that.
PUBACKs are taken before that too: the broker passes on what it has before it confirms what we ask for, and
counts what is never acknowledged as under way for as long as the connection lasts.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from agent.core.model.documents import HealthDocument, RoomState
from agent.core.model.events import Delivery
from agent.ports import Outgoing

Job = Outgoing | RoomState | HealthDocument
"""Publish this."""

MAX_PASSING = 300
"""Messages without a place in the outbox (progress of commands) that wait; more of them are dropped. Those
with a place are never more than the loop's window, documents never more than one of each kind."""


class Mailbox:
    """Messages in order, documents in the place of the oldest that was not taken; PUBACKs first.

    `put` never blocks; `take` and `deliveries` are for the link's thread alone.
    """

    def __init__(self) -> None:
        self.wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._lock = threading.Lock()
        self._jobs: deque[Outgoing | type[RoomState] | type[HealthDocument]] = deque()
        self._documents: dict[type, RoomState | HealthDocument] = {}
        self._deliveries: deque[Delivery] = deque()
        self._passing = 0
        self._is_open = False
        self._held: bool | None = None
        """Whether something came since `together` began; None outside of it."""

    def open(self) -> None:
        self._is_open = True

    def shut(self) -> None:
        """What was not taken is gone."""
        with self._lock:
            self._is_open = False
            self._passing = 0
            for kept in (self._jobs, self._documents, self._deliveries):
                kept.clear()

    def put(self, job: Job | Delivery) -> None:
        with self._lock:
            if not (self._is_open or isinstance(job, Delivery)) or not self._keep(job):
                return
            at_once = self._held is None
            if not at_once:
                self._held = True
        if at_once:
            self.ring()

    @contextmanager
    def together(self) -> Iterator[None]:
        """Jobs of one moment wake the link's thread once, at the end: each time it wakes earlier, the two threads
        only take the interpreter from each other. For one thread, the loop's."""
        with self._lock:
            self._held = False
        try:
            yield
        finally:
            with self._lock:
                came, self._held = self._held, None
            if came:
                self.ring()

    def _keep(self, job: Job | Delivery) -> bool:
        """Whether there was room for it."""
        match job:
            case Delivery():
                self._deliveries.append(job)
            case Outgoing():
                if not job.key and self._passing >= MAX_PASSING:
                    return False
                self._passing += not job.key
                self._jobs.append(job)
            case _:
                if type(job) not in self._documents:
                    self._jobs.append(type(job))
                self._documents[type(job)] = job
        return True

    def ring(self) -> None:
        """Wake the link's thread without a job."""
        os.eventfd_write(self.wake, 1)

    def deliveries(self) -> Iterator[Delivery]:
        """All that are to be acknowledged."""
        while self._deliveries:
            yield self._deliveries.popleft()

    def take(self) -> Job | None:
        """The next to publish."""
        with self._lock:
            if not self._jobs:
                return None
            job = self._jobs.popleft()
            if isinstance(job, Outgoing):
                self._passing -= not job.key
                return job
            return self._documents.pop(job)
