"""What the checks look at: the settings (as far as they can be read), the daemon, the machine.

Made once for a run of the doctor; a check gets it whole and changes nothing in it.
"""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path

import msgspec
from msgspec import Struct

from agent import settings
from agent.config import read_file
from agent.config.reading import Reading
from agent.core.model.documents import DeviceStatus, Phase
from agent.core.model.room_status import RoomStatus
from agent.diagnostics.client import ControlError, DaemonClient
from agent.diagnostics.holders import media_processes
from agent.errors import ConfigError

KINDS: tuple[type[settings.Section], ...] = (
    settings.Room,
    settings.Hub,
    settings.Devices,
    settings.Media,
    settings.Store,
    settings.Control,
    settings.Clock,
)
"""The sections, in the order of `Sections`' fields."""


class Presence(StrEnum):
    """The daemon, as its control socket shows it."""

    UP = "up"
    DOWN = "down"
    HUNG = "hung"
    CLOSED = "closed"  # it runs, and we may not ask it


class Daemon(Struct, frozen=True):
    """The daemon's answer, or why there is none."""

    presence: Presence
    text: str = ""
    status: RoomStatus | None = None
    pid: int | None = None
    """Of one that hangs, where the kernel tells it."""

    @property
    def in_meeting(self) -> bool:
        """Whether a meeting is on, or beginning or ending."""
        return self.status is not None and self.status.state.phase not in (
            Phase.STANDBY,
            Phase.FAULT,
        )


class Sections(Struct, frozen=True):
    """Each section of the settings file by itself: one that is broken does not hide the others."""

    room: settings.Room | None = None
    hub: settings.Hub | None = None
    devices: settings.Devices | None = None
    media: settings.Media | None = None
    store: settings.Store | None = None
    control: settings.Control | None = None
    clock: settings.Clock | None = None


class Site(Struct, frozen=True):
    """One room, as the tool finds it. `root` stands for / in tests; `quiet`: make no sound."""

    config_path: Path
    problems: list[str]
    sections: Sections
    client: DaemonClient
    daemon: Daemon
    root: Path = Path("/")
    quiet: bool = False

    def path(self, absolute: str) -> Path:
        """A file of the machine, below `root`."""
        return self.root / absolute.lstrip("/")

    def reported(self, kind: str) -> DeviceStatus | None:
        """What the daemon says about a device."""
        status = self.daemon.status
        return status.health.devices.get(kind) if status and status.health else None

    def driver(self, kind: str) -> str:
        """The driver of the camera, the microphone, ... in the settings; empty without one."""
        return str(getattr(getattr(self.sections.devices, kind, None), "driver", ""))

    def unreadable(self, kind: str) -> bool:
        """Whether the settings have this device, but not so that anybody could use it."""
        return self.sections.devices is None or any(
            f" devices.{kind}." in problem for problem in self.problems
        )

    def devices_needed(self) -> bool:
        """Whether a meeting holds the devices, or is about to; asked again while one is borrowed.

        A daemon that does not answer is judged by its media process: while that lives, it may.
        """
        match self.daemon.presence:
            case Presence.UP:
                return ask(self.client).in_meeting
            case Presence.DOWN:
                # its media process ended with it; one that starts now wants its lamp and devices
                return ask(self.client).presence is not Presence.DOWN
            case _:
                return bool(media_processes(self.daemon.pid))


def ask(client: DaemonClient) -> Daemon:
    """Look at the daemon now; never raises, and takes the client's deadline at the most."""
    try:
        return Daemon(Presence.UP, status=client.status())
    except ControlError as error:
        presence = {
            "daemon-silent": Presence.HUNG,
            "no-permission": Presence.CLOSED,
            "not-permitted": Presence.CLOSED,
            "no-daemon": Presence.DOWN,
        }.get(error.code, Presence.HUNG)
        return Daemon(presence, error.text, pid=_pid(client))


def _pid(client: DaemonClient) -> int | None:
    try:
        return client.daemon_pid()
    except ControlError:
        return None


def inspect(
    config_path: Path, client: DaemonClient, root: Path = Path("/"), *, quiet: bool = False
) -> Site:
    """Look at the settings and the daemon; never raises, and takes the client's deadline at most."""
    problems, sections = _read(config_path)
    return Site(config_path, problems, sections, client, ask(client), root, quiet)


def _read(config_path: Path) -> tuple[list[str], Sections]:
    """The problems of the settings file, and the sections that could be read all the same."""
    root = os.geteuid() == 0  # others may not read the secrets, which is as it should be
    try:
        reading = read_file(config_path, check_files=root)
    except ConfigError as error:
        return error.problems, Sections()
    sections = {
        field.name: reading.sections.of(kind) or _default(reading, field.name, kind)
        for field, kind in zip(msgspec.structs.fields(Sections), KINDS, strict=True)
    }
    return [str(problem) for problem in sorted(reading.problems)], Sections(**sections)  # type: ignore[arg-type]


def _default(reading: Reading, name: str, kind: type[settings.Section]) -> settings.Section | None:
    """A section that the file leaves out has its defaults, if it may be left out."""
    if not reading.lines or name in reading.lines or kind in (settings.Room, settings.Hub):
        return None
    return kind()
