"""When the room does what for a meeting of its agenda."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from agent.core.model.agenda import AgendaRules
from agent.settings.section import Section

Minutes = Annotated[float, Meta(ge=0, le=240)]


class Agenda(Section, frozen=True):
    """What is done before a meeting that the hub's agenda has (docs/agenda.md)."""

    join_minutes_before: Annotated[
        Minutes, Meta(description="minutes before its beginning that the room joins, muted")
    ] = 2
    announce_minutes_before: Annotated[
        Minutes,
        Meta(description="minutes before its beginning that the display goes on and names it"),
    ] = 5
    check_minutes_before: Annotated[
        list[Minutes],
        Meta(
            description="minutes before its beginning that the room is checked; none: []",
            max_length=5,
        ),
    ] = field(default_factory=lambda: [60.0, 10.0])
    quiet_check_minutes_before: Annotated[
        Minutes,
        Meta(
            description="a check earlier than so many minutes before makes no sound: somebody else may be in the room"
        ),
    ] = 30

    @property
    def rules(self) -> AgendaRules:
        """As the core takes them."""
        return AgendaRules(
            self.join_minutes_before,
            self.announce_minutes_before,
            tuple(self.check_minutes_before),
            self.quiet_check_minutes_before,
        )
