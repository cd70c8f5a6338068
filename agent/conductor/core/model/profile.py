"""What the core knows of its hub beforehand: settings that don't change while it runs."""

from __future__ import annotations

from msgspec import Struct

from agent.conductor.core.model.acts import Mode


class Profile(Struct, frozen=True):
    """One conductor. Templates hold `{meeting}` and `{room}`.

    `name` is its name on the hub; `instance` begins the ids of its commands: of one journal's
    conductor always the same, of two conductors never.
    """

    name: str
    instance: str
    publish_template: str
    play_template: str
    since: float = 0.0
    """Unix time of the start of this run."""
    token_seconds: float | None = None
    """How long tokens are good; joins are repeated with new ones at half of it. None: for ever."""
    agenda: bool = True
    """Whether it starts the meetings of the rooms' agendas."""
    agenda_chair: str | None = None
    agenda_mode: Mode = Mode.CHAIR_GRANTS

    def publish_url(self, meeting: str, room: str) -> str:
        return _fill(self.publish_template, meeting, room)

    def play_url(self, meeting: str, room: str) -> str:
        return _fill(self.play_template, meeting, room)


def _fill(template: str, meeting: str, room: str) -> str:
    return template.replace("{meeting}", meeting).replace("{room}", room)
