"""What goes from the journal's outbox to the hub: so much at a time, the rest waits on disk.

However long the hub was away and however fast commands come, the memory holds a window of the outbox.
"""

from __future__ import annotations

import logging

from agent.core.model.events import LinkChanged
from agent.errors import JournalError
from agent.ports import HubLink, Journal, Outgoing

WINDOW = 100
"""Messages of the outbox on their way to the broker at a time."""

log = logging.getLogger(__name__)


class Outflow:
    """Hands messages to the link, each once on each connection, but for what is refused; for the loop's thread."""

    def __init__(self, journal: Journal, hub: HubLink) -> None:
        self._journal = journal
        self._hub = hub
        self._session = ""
        """The connection that the link is on; empty while it is down."""
        self._served = ""
        """The connection that gets what the outbox holds, from its start on."""
        self._under_way: set[str] = set()
        self._last = ""
        """The key up to which the outbox was handed out."""
        self._behind = False
        """The disk has more."""

    def link_changed(self, event: LinkChanged) -> None:
        """What is under way on a connection ends with it."""
        self._session = event.session if event.up else ""
        if not event.up:
            self._under_way.clear()

    def resend(self, *, refused: bool = False) -> None:
        """The link is up: all that the outbox holds, if this connection was not given it yet; with `refused`
        also what it was given, is not under way and still there."""
        if self._session and (refused or not self._is_served):
            if not self._is_served:
                self._under_way.clear()
            self._served, self._last, self._behind = self._session, "", True
            self._fill()

    def publish(self, outgoing: Outgoing) -> None:
        """A message of now: at once, or in its turn if it stands in the outbox behind others."""
        if not outgoing.key:
            self._hub.publish(outgoing)
        elif not self._is_served or self._behind or len(self._under_way) >= WINDOW:
            self._behind = True
        else:
            self._hand_out(outgoing)

    @property
    def _is_served(self) -> bool:
        """Whether this connection has been given the outbox: before, all of it is still to come, and would come twice."""
        return bool(self._session) and self._served == self._session

    def settled(self, key: str) -> None:
        """The broker has it, or refused it: the next one's turn."""
        self._under_way.discard(key)
        self._fill()

    def _fill(self) -> None:
        while self._behind and len(self._under_way) < WINDOW:
            try:
                page = self._journal.unsent(self._last, WINDOW - len(self._under_way))
            except JournalError as error:
                log.error("the outbox cannot be read: %s", error)
                return
            self._behind = bool(page)
            for outgoing in page:
                if outgoing.key in self._under_way:
                    self._last = outgoing.key
                else:
                    self._hand_out(outgoing)

    def _hand_out(self, outgoing: Outgoing) -> None:
        self._under_way.add(outgoing.key)
        self._last = outgoing.key
        self._hub.publish(outgoing)
