"""Work for the link's thread, put in by any other; `wake` is what that thread selects on.

Open only while there is a connection: nothing is kept for later here, the journal does that.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator

from agent.core.model.documents import HealthDocument, RoomState
from agent.core.model.events import Delivery
from agent.errors import HubError
from agent.ports import Outgoing

Job = Outgoing | RoomState | HealthDocument | Delivery
"""Publish this, or acknowledge that."""

MAX_JOBS = 2000
"""They are taken at once, unless something is broken."""


class Mailbox:
    """Jobs in order. `put` never blocks; `take` is for the link's thread alone."""

    def __init__(self) -> None:
        self.wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._jobs: deque[Job] = deque()
        self._is_open = False

    def open(self) -> None:
        self._is_open = True

    def shut(self) -> None:
        """What was not taken is gone."""
        self._is_open = False
        self._jobs.clear()

    def put(self, job: Job) -> None:
        if self._is_open:
            self._jobs.append(job)
            self.ring()

    def ring(self) -> None:
        """Wake the link's thread without a job."""
        os.eventfd_write(self.wake, 1)

    def take(self) -> Iterator[Job]:
        """All there is. Raises HubError if that is too much to be true."""
        if len(self._jobs) > MAX_JOBS:
            raise HubError("backlog", f"more than {MAX_JOBS} messages wait for the link")
        while self._jobs:
            yield self._jobs.popleft()
