"""What a repeated join changes in the meeting that the room is in: answered when all of it is true.

`agent.core.meeting.control` decides what differs and gives the instructions; here is the waiting for them.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import structs

from agent.core.meeting.membership import MediaLink, Membership
from agent.core.meeting.waiting import SETTLE_SECONDS, Arrival
from agent.core.model.clock import Now
from agent.core.model.commands import Code, Command, Join, Publishing
from agent.core.model.media import Instruction, SetPublish

PARTING_SECONDS = 3.0
"""So long the media process plays on what a change names no more, while what is new is not there: until then no hub
is told that it is done, for it would silence the old speaker with that."""

PICTURE = "/picture"
"""What the request for another size of the picture ends with; no command's id has a slash."""


class Stay(Protocol):
    """What of `agent.core.meeting.lifecycle` counts here."""

    arrival: Arrival
    membership: Membership | None

    def check(self, now: Now, *, settled: bool = False) -> None: ...
    def instruct(self, instruction: Instruction) -> None: ...
    def remember(self, join: Join) -> None: ...


class Changes:
    """Of one room's meetings; a change of links is no reconnection."""

    def __init__(self, lifecycle: Stay) -> None:
        self._lifecycle = lifecycle
        self._arrival = lifecycle.arrival
        self.requests: set[str] = set()
        """What the media process was asked and has not confirmed yet."""

    def begin(self, command: Command, requests: set[str], timeout_seconds: float, now: Now) -> None:
        """Wait until these requests are confirmed, and all that the room plays and sends flows."""
        self.requests |= requests
        self._arrival.change_in_meeting(command.id, timeout_seconds, now)
        self._lifecycle.check(now)

    def applied(self, request: str, error: str, now: Now) -> None:
        """The media process confirmed, or could not do, one thing of it."""
        if request not in self.requests:
            return
        self.requests.discard(request)
        if request.endswith(PICTURE) and not error:
            self._picture_is_so()
        if error:
            self._fail(Code.DEVICE_FAILED, error, now)
        self._lifecycle.check(now)

    def _picture_is_so(self) -> None:
        """Said by `state` once it is true, unless another size is on its way already."""
        membership = self._lifecycle.membership
        if membership is not None and not any(one.endswith(PICTURE) for one in self.requests):
            membership.picture = membership.join.picture

    def check(self, membership: Membership, settled: bool, now: Now) -> None:
        """In the meeting, and somebody waits: look whether it is true by now, or can't become so."""
        if refusal := membership.refusal():
            self._fail(*refusal, now)
        elif membership.flows and not self.requests:
            if membership.complete or settled:
                membership.published_before = None
                self._arrival.arrived(membership.id, membership.detail(), now)
            else:
                self._arrival.settle(PARTING_SECONDS if membership.awaits_new else SETTLE_SECONDS)

    def late(self, membership: Membership, now: Now) -> None:
        """The time that it may take is over."""
        unconfirmed = Code.TIMEOUT, "the media process did not confirm it in time"
        why = unconfirmed if membership.flows else membership.shortfall()
        if not self._arrival.some_have_time(*why, now, membership.detail()):
            self._fail(*why, now)

    def _fail(self, code: Code, text: str, now: Now) -> None:
        """It can't come true. The room goes on as it can, and publishes where it did before."""
        lifecycle, membership = self._lifecycle, self._lifecycle.membership
        assert membership is not None
        self.requests.clear()
        self._arrival.failed(code, text, now, membership.detail())
        self._arrival.end()
        if (before := membership.published_before) is not None:
            membership.publish, membership.published_before = before, None
            membership.uplink = MediaLink("flowing")
            lifecycle.instruct(SetPublish(before))
            back = Publishing(before.url, before.token, membership.join.picture)
            lifecycle.remember(structs.replace(membership.join, publish=back))
        lifecycle.check(now)
