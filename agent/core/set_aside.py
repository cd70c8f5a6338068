"""What the hub refused of the room's own messages: set aside, given to it again, and when that trouble is over.

A connection lasts for months, a full quota or a wrong ACL for minutes.
"""

from __future__ import annotations

from agent.core.context import Context
from agent.core.health import HealthBoard
from agent.core.model.clock import Now
from agent.core.model.deadlines import RefusedDue
from agent.core.model.effects import CancelDeadline, ResendUnsent, SetAside, SetDeadline
from agent.core.model.events import LinkChanged, MessageRefused

RETRY_SECONDS = 600.0
"""Between two tries on the same connection; one without a refusal ends the trouble."""


class SetAsideMessages:
    """Knows whether the hub refuses something on this connection, and tells health."""

    def __init__(self, context: Context, health: HealthBoard) -> None:
        self._do = context.do
        self._health = health
        self._link = LinkChanged(up=False)
        self._waiting = False
        """For the next try, or to see how the last one went."""
        self._refused = False
        """Something, since the last try."""

    def refused(self, event: MessageRefused, now: Now) -> None:
        """The rest of the outbox goes on."""
        self._do(SetAside(event.key))
        self._refused = True
        self._health.hub_does(event.code, event.text, now)
        if not self._waiting:
            self._wait()

    def linked(self, link: LinkChanged, now: Now) -> None:
        """The link is up, with its own word on the hub: a new connection is given all that the outbox holds."""
        is_new = link.session != self._link.session
        self._link = link
        self._do(ResendUnsent())
        if self._waiting and is_new:
            self._waiting = self._refused = False
            self._do(CancelDeadline(RefusedDue()))
        if not self._waiting or link.code != "ok":
            self._health.hub_does(link.code, link.text, now)

    def due(self, now: Now) -> None:
        """Try again what was refused since the last time; else what was tried was taken."""
        if self._refused:
            self._refused = False
            self._do(ResendUnsent(refused=True))
            self._wait()
        else:
            self._waiting = False
            self._health.hub_does(self._link.code, self._link.text, now)

    def _wait(self) -> None:
        self._waiting = True
        self._do(SetDeadline(RefusedDue(), RETRY_SECONDS))
