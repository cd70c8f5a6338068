"""What the core knows of its room beforehand: settings and facts that don't change while it runs."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct

from agent.core.model.agenda import AgendaRules
from agent.core.model.commands import Endpoint, Publishing, Source, Stay
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
    groups: tuple[str, ...] = ()
    """Whose commands the room obeys, `all` among them."""
    publish_template: str | None = None
    play_templates: tuple[str, ...] = ()
    token: str | None = None
    hosts: AllowedHosts = AllowedHosts()
    """Where a join's URLs may point to."""
    display_warm_up_seconds: float = 5
    display_hold_seconds: float = 60
    health_interval_seconds: float = 60
    speaker_volume: int = 70
    camera_by_long_press: bool = False
    """The one button, held for long, switches the camera."""
    agenda: AgendaRules = AgendaRules()
    slowness: float = 1.0
    """How many times longer than a Pi 4 this machine takes for the same; at least 1."""

    @property
    def agent(self) -> AgentFacts:
        return AgentFacts(version=self.version, started=self.started, boot=self.boot)

    def publish_endpoint(self, stay: Stay) -> Endpoint | None:
        """Where to publish: the command's word, else the template's; None is not at all."""
        given = stay.publish
        if given is None:
            return None
        word = given if isinstance(given, Publishing) else Publishing()
        if word.url is not None:
            return Endpoint(word.url, word.token)
        if self.publish_template is None:
            return None
        return Endpoint(self._fill(self.publish_template, stay), word.token or self.token)

    def play_sources(self, stay: Stay) -> list[Source]:
        """What to play: the command's word, else the templates'."""
        if stay.play is None:
            return []
        if isinstance(stay.play, list):
            return stay.play
        return [
            Source(url=self._fill(template, stay), token=self.token)
            for template in self.play_templates
        ]

    def forbidden_url(self, stay: Stay) -> str | None:
        """The first of the stay's URLs that is at a host where meetings may not be."""
        endpoints = [self.publish_endpoint(stay), *self.play_sources(stay)]
        urls = (one.url for one in endpoints if one is not None)
        return next((url for url in urls if not self.hosts.permits(url)), None)

    def _fill(self, template: str, stay: Stay) -> str:
        return template.replace("{meeting}", stay.meeting.id).replace("{room}", self.room)
