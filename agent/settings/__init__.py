"""The agent's settings: types, defaults, units and what each key means.

`agent.config` reads YAML into these; config/agent.yaml is the commented original.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from agent.core.model.commands import Identifier
from agent.settings.agenda import Agenda
from agent.settings.devices import Camera, Devices, Panel, Simulation
from agent.settings.display import Display, Output, Relay
from agent.settings.hub import Hub, Tls
from agent.settings.media import Media, Recording
from agent.settings.section import Section
from agent.settings.sound import EchoCanceller, Microphone, Speaker

__all__ = [
    "Agenda",
    "Camera",
    "Clock",
    "Control",
    "Devices",
    "Display",
    "EchoCanceller",
    "Health",
    "Hub",
    "Media",
    "Microphone",
    "Output",
    "Panel",
    "Recording",
    "Relay",
    "Room",
    "Section",
    "Settings",
    "Simulation",
    "Speaker",
    "Store",
    "Tls",
]


class Room(Section, frozen=True):
    """Which room this is."""

    id: Annotated[Identifier, Meta(description="the room's id in topics and URLs: a-z, 0-9, '-'")]
    name: Annotated[str, Meta(description="the room's name for people", max_length=80)] = ""
    groups: Annotated[
        list[Identifier],
        Meta(description="groups whose commands the room obeys; 'all' is always one of them"),
    ] = field(default_factory=list)


class Health(Section, frozen=True):
    """How often the room reports on itself."""

    interval_seconds: Annotated[
        float, Meta(description="between health documents; a change is sent at once", ge=1, le=3600)
    ] = 60


class Store(Section, frozen=True):
    """What is kept on disk."""

    path: Annotated[str, Meta(description="folder for the journal; the only one written to")] = (
        "/var/lib/diemcau"
    )


class Control(Section, frozen=True):
    """The local control socket."""

    socket: Annotated[str, Meta(description="path of the Unix socket for the CLI")] = (
        "/run/diemcau/control.sock"
    )


class Clock(Section, frozen=True):
    """Whether the machine's time is to be believed."""

    trusted: Annotated[
        bool,
        Meta(
            description="true where a real-time clock keeps the time, so that nobody waits for NTP"
        ),
    ] = False


class Settings(Section, frozen=True):
    """All of it: the file /etc/diemcau/agent.yaml."""

    room: Annotated[Room, Meta(description="which room this is")]
    hub: Annotated[Hub, Meta(description="where commands come from")]
    health: Annotated[Health, Meta(description="reports")] = field(default_factory=Health)
    agenda: Annotated[Agenda, Meta(description="what is done before a meeting of the agenda")] = (
        field(default_factory=Agenda)
    )
    devices: Annotated[Devices, Meta(description="what is built in")] = field(
        default_factory=Devices
    )
    media: Annotated[Media, Meta(description="meetings")] = field(default_factory=Media)
    store: Annotated[Store, Meta(description="what is kept")] = field(default_factory=Store)
    control: Annotated[Control, Meta(description="the control socket")] = field(
        default_factory=Control
    )
    clock: Annotated[Clock, Meta(description="the machine's time")] = field(default_factory=Clock)
