"""The conductor's settings: types, defaults and what each key means; config/hub/conductor.yaml explains."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, field

from agent.conductor.core.model.acts import Mode
from agent.config import read_file
from agent.core.model.commands import Identifier
from agent.errors import ConfigError
from agent.settings import Hub, Section

DEFAULT_PATH = Path("/etc/diemcau-hub/conductor.yaml")


class Conductor(Section, frozen=True):
    """The program itself."""

    name: Annotated[Identifier, Meta(description="its name on the hub; no two have the same")] = (
        "conductor"
    )
    path: Annotated[str, Meta(description="folder for journal, accounts and the tokens' key")] = (
        "/var/lib/diemcau-conductor"
    )
    socket: Annotated[str, Meta(description="path of the Unix socket for `diemcau meeting`")] = (
        "/run/diemcau-conductor/control.sock"
    )
    signing_key: Annotated[
        str | None,
        Meta(description="path of the private key (diemcau hub key) that signs its commands"),
    ] = None
    trusted_keys: Annotated[
        str,
        Meta(description="folder of public keys that may sign agendas; asked for with signing_key"),
    ] = "/etc/diemcau-hub/trusted-keys"
    agenda: Annotated[bool, Meta(description="start the meetings of the rooms' agendas")] = True
    agenda_chair: Annotated[
        Identifier | None,
        Meta(
            description="the chair's room in them; without one they are discussions, of four rooms at the most"
        ),
    ] = None
    agenda_mode: Annotated[Mode, Meta(description="their mode, with a chair")] = Mode.CHAIR_GRANTS


class HubMedia(Section, frozen=True):
    """The media server, as rooms reach it."""

    publish_url: Annotated[
        str, Meta(description="WHIP address with {meeting} and {room}", pattern=r"^https?://")
    ]
    play_url: Annotated[
        str, Meta(description="WHEP address with {meeting} and {room}", pattern=r"^https?://")
    ]
    tokens: Annotated[
        bool,
        Meta(description="give each join JWTs of its own; off: rooms use media.token_file"),
    ] = True
    token_seconds: Annotated[
        float, Meta(description="how long a token is good; renewed at half of it", ge=60, le=86_400)
    ] = 7200


class Console(Section, frozen=True):
    """The page for operators."""

    host: Annotated[
        str, Meta(description="address to listen on; others than loopback need TLS")
    ] = "127.0.0.1"
    port: Annotated[int, Meta(description="TCP port; 0: a free one", ge=0, le=65535)] = 8443
    certificate: Annotated[str | None, Meta(description="path of the certificate (PEM)")] = None
    key: Annotated[str | None, Meta(description="path of its private key (PEM)")] = None
    session_seconds: Annotated[
        float, Meta(description="how long a login lasts without a click", ge=60, le=604_800)
    ] = 43_200


class HubSettings(Section, frozen=True):
    """All of it: the file /etc/diemcau-hub/conductor.yaml."""

    hub: Annotated[Hub, Meta(description="the broker")]
    media: Annotated[HubMedia, Meta(description="the media server")]
    conductor: Annotated[Conductor, Meta(description="the program")] = field(
        default_factory=Conductor
    )
    console: Annotated[Console | None, Meta(description="the page; without it there is none")] = (
        None
    )


def load(path: Path, *, check_files: bool = True) -> HubSettings:
    """The settings in this file. Raises ConfigError with every problem."""
    reading = read_file(path, check_files=check_files, kind=HubSettings)
    problems = [str(problem) for problem in sorted(reading.problems)]
    settings = reading.whole
    if isinstance(settings, HubSettings) and settings.console is not None:
        problems += console_problems(path.name, settings.console)
    if problems or not isinstance(settings, HubSettings):
        raise ConfigError(problems)
    return settings


def console_problems(file: str, console: Console) -> list[str]:
    """Passwords don't travel in the clear."""
    if (console.certificate is None) != (console.key is None):
        return [f"{file}: console: certificate and key belong together; give both or none"]
    if console.certificate is None and console.host not in ("127.0.0.1", "::1", "localhost"):
        text = "console.host: other addresses than 127.0.0.1 need console.certificate and .key"
        return [f"{file}: {text}"]
    return []
