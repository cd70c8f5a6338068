"""The state document goes out when it says something new, and only then."""

from __future__ import annotations

from msgspec import structs

from agent.core.context import Context
from agent.core.model.documents import RoomState
from agent.core.model.effects import PublishState, SetServiceStatus


class StateFeed:
    """Remembers what was published last."""

    def __init__(self, context: Context) -> None:
        self._do = context.do
        self._last: RoomState | None = None

    def offer(self, state: RoomState) -> bool:
        """Publish it if it differs in more than its time; each connection has a session of its own. Whether the
        phase is a new one."""
        last = self._last
        if last is not None and structs.replace(last, at=state.at) == state:
            return False
        self._last = state
        new_phase = last is None or last.phase is not state.phase
        if new_phase:
            meeting = f", meeting {state.meeting.id}" if state.meeting else ""
            self._do(SetServiceStatus(f"{state.phase}{meeting}"))
        self._do(PublishState(state))
        return new_phase
