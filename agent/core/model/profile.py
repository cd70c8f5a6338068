"""What the core knows of its room beforehand: settings and facts that don't change while it runs."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from agent.core.model.commands import Endpoint, Join, Source
from agent.core.model.documents import AgentFacts
from agent.core.model.hosts import AllowedHosts


class Profile(Struct, frozen=True):
    """One room, as it was set up. Templates may hold `{meeting}` and `{room}`."""

    room: str
    name: str
    version: str
    started: datetime
    boot: str
    has_relay: bool = False
    has_screen: bool = False
    """Whether the agent draws on a screen at all."""
    required: frozenset[str] = frozenset()
    """Devices without which health is `failed`: camera, microphone, speaker, display, panel."""
    fitted: frozenset[str] = frozenset()
    """Devices that the settings name at all."""
    publish_template: str | None = None
    play_templates: tuple[str, ...] = ()
    token: str | None = None
    hosts: AllowedHosts = AllowedHosts()
    """Where a join's URLs may point to."""
    display_warm_up_seconds: float = 5
    display_hold_seconds: float = 60
    health_interval_seconds: float = 60
    speaker_volume: int = 70

    @property
    def agent(self) -> AgentFacts:
        return AgentFacts(version=self.version, started=self.started, boot=self.boot)

    def publish_endpoint(self, join: Join) -> Endpoint | None:
        """Where to publish: the command's word, else the template's; None is not at all."""
        if join.publish is None or isinstance(join.publish, Endpoint):
            return join.publish
        if self.publish_template is None:
            return None
        return Endpoint(url=self._fill(self.publish_template, join), token=self.token)

    def play_sources(self, join: Join) -> list[Source]:
        """What to play: the command's word, else the templates'."""
        if join.play is None:
            return []
        if isinstance(join.play, list):
            return join.play
        return [
            Source(url=self._fill(template, join), token=self.token)
            for template in self.play_templates
        ]

    def forbidden_url(self, join: Join) -> str | None:
        """The first of the join's URLs that is at a host where meetings may not be."""
        endpoints = [self.publish_endpoint(join), *self.play_sources(join)]
        urls = (one.url for one in endpoints if one is not None)
        return next((url for url in urls if not self.hosts.permits(url)), None)

    def _fill(self, template: str, join: Join) -> str:
        return template.replace("{meeting}", join.meeting.id).replace("{room}", self.room)
