"""Orders from before a restart that the broker kept: none of them makes the room heard.

After a restart a room is back in its meeting muted. An `unmute` of before, which the broker delivers only now, was
meant for the room as it was then; it ends as one that the restart interrupted. Everything else that was kept is obeyed.
"""

from __future__ import annotations

from msgspec import structs

from agent.core.meeting.lifecycle import Lifecycle
from agent.core.model.clock import Now
from agent.core.model.commands import Code, Command, Floor, Join, Unmute

KEPT_SECONDS = 30.0
"""From the link to the hub: the broker delivers what it has kept at once. A hub whose clock is behind is not
refused for longer than that."""


class KeptOrders:
    """Tells such an order by its `issued`; without one, it counts as given now."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._linked_seconds: float | None = None

    def linked(self, now: Now) -> None:
        """The link to the hub is up; the first time since the start counts."""
        if self._linked_seconds is None:
            self._linked_seconds = now.monotonic_seconds

    def refusal(self, command: Command, now: Now) -> tuple[Code, str] | None:
        """Why this does not make the room heard."""
        given = isinstance(command.body, Floor) and command.body.state == "given"
        if not (given or isinstance(command.body, Unmute)) or not self._is_of_before(command, now):
            return None
        text = "It was ordered before the room was started again, which muted it: order it again"
        return Code.INTERRUPTED, text

    def unheard(self, command: Command, now: Now) -> Command:
        """The same, without what would make the room heard."""
        body = command.body
        if not isinstance(body, Join) or not self._is_of_before(command, now):
            return command
        membership = self._lifecycle.membership
        if membership is None or membership.id != body.meeting.id:
            return command
        return structs.replace(command, body=structs.replace(body, microphone="muted"))

    def _is_of_before(self, command: Command, now: Now) -> bool:
        membership, linked = self._lifecycle.membership, self._linked_seconds
        if membership is None or membership.resumed_seconds is None or command.issued is None:
            return False
        if linked is None or not now.synchronised:
            return False
        resumed = now.after(membership.resumed_seconds - now.monotonic_seconds).wall
        return command.issued < resumed and now.monotonic_seconds < linked + KEPT_SECONDS
