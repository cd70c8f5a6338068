"""`diemcau setup`: which room this is and where its hub is, asked or given, then the service started.

Changes the settings file only as a whole, and only to something that the agent can run with.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from agent.cli.service import reload_service, start_service
from agent.cli.session import Session, examples, session_of
from agent.config import parse_value
from agent.config.first_run import FirstRun, Secret, typed
from agent.devices.alsa.cards import cards, described
from agent.diagnostics.site import ask
from agent.errors import AgentError, ConfigError
from agent.locale import gettext as _
from agent.locale import translate

K = TypeVar("K")
V = TypeVar("V")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command(
        help=_("Say which room this is and where its hub is"),
        epilog=examples(
            "sudo diemcau setup",
            "sudo diemcau setup --room xa-lung-cu --hub hub.example.org --ca ca.pem",
            "sudo diemcau setup --set devices.camera.driver=v4l2",
        ),
    )(setup)


def setup(
    context: typer.Context,
    *,
    room: Annotated[str | None, typer.Option(help=_("the room's id: a-z, 0-9 and -"))] = None,
    name: Annotated[str | None, typer.Option(help=_("its name for people"))] = None,
    group: Annotated[list[str] | None, typer.Option(help=_("a group it belongs to"))] = None,
    hub: Annotated[str | None, typer.Option(help=_("name or address of the MQTT broker"))] = None,
    port: Annotated[int | None, typer.Option(help=_("its port"))] = None,
    ca: Annotated[Path | None, typer.Option(help=_("PEM file: the CA of the hub"))] = None,
    certificate: Annotated[Path | None, typer.Option(help=_("PEM file: the room's"))] = None,
    key: Annotated[Path | None, typer.Option(help=_("PEM file: its private key"))] = None,
    username: Annotated[str | None, typer.Option(help=_("MQTT user name"))] = None,
    password_file: Annotated[Path | None, typer.Option(help=_("file with its password"))] = None,
    token_file: Annotated[Path | None, typer.Option(help=_("file with the media token"))] = None,
    publish_url: Annotated[str | None, typer.Option(help=_("WHIP address of meetings"))] = None,
    play_url: Annotated[list[str] | None, typer.Option(help=_("WHEP address of meetings"))] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help=_("any other setting"))
    ] = None,
    start: Annotated[bool, typer.Option(help=_("start the service afterwards"))] = True,
) -> None:
    """Ask what was not given (at a terminal), write the settings, start the service."""
    given: dict[str, Any] = {
        "room.id": room,
        "room.name": name,
        "room.groups": group or None,
        "hub.host": hub,
        "hub.port": port,
        "hub.username": username,
        "media.publish_url": publish_url,
        "media.play_urls": play_url or None,
    }
    wanted = _without_none(given) | dict(_assignment(text) for text in values or [])
    files: dict[Secret, Path | None] = {
        Secret.CA: ca,
        Secret.CERTIFICATE: certificate,
        Secret.KEY: key,
        Secret.PASSWORD: password_file,
        Secret.TOKEN: token_file,
    }
    _set_up(session_of(context), wanted, _without_none(files), start)


def _set_up(
    session: Session, wanted: dict[str, Any], files: dict[Secret, Path], start: bool
) -> None:
    first_run = FirstRun(session.config_path)
    if not wanted and not files and sys.stdin.isatty():
        wanted, files = _asked(first_run)
    first_run.apply(wanted, files)
    session.console.print(_("{path} is written.").format(path=session.config_path))
    if not start:
        return
    if ask(session.client).in_meeting:
        reload_service()
        session.console.print(_("A meeting is on: the service takes it over after the meeting"))
    else:
        start_service()
        session.console.print(_("The service runs. Next: diemcau status"))


def _without_none(options: dict[K, V | None]) -> dict[K, V]:
    return {name: value for name, value in options.items() if value is not None}


def _assignment(text: str) -> tuple[str, Any]:
    path, equals, value = text.partition("=")
    if not equals:
        raise AgentError("bad-option", f"--set {text}: expected KEY=VALUE, as hub.port=8883")
    try:
        return path.strip(), parse_value(value)
    except ValueError as error:
        raise AgentError("bad-option", f"--set {text}: the value is no YAML: {error}") from error


def _typed(path: str, answer: object) -> Any:
    """Asked again at once, rather than refused after the last question."""
    try:
        return typed(path, answer)
    except ConfigError as error:
        raise typer.BadParameter(translate("; ".join(error.problems))) from error


def _asked(first_run: FirstRun) -> tuple[dict[str, Any], dict[Secret, Path]]:
    """The few things that have no default, from somebody at the terminal."""
    questions = {
        "room.id": _("The room's id (a-z, 0-9 and -)"),
        "room.name": _("The room's name"),
        "hub.host": _("The hub: name or address of its MQTT broker"),
        "hub.port": _("The broker's port"),
    }
    answers: dict[str, Any] = {}
    for path, question in questions.items():
        default = first_run.suggestion(path)
        answers[path] = typer.prompt(
            question, default, value_proc=partial(_typed, path), show_default=bool(default)
        )
    if found := cards():
        text = _("Sound cards here (devices.microphone.device, devices.speaker.device): {cards}")
        typer.echo(text.format(cards=", ".join(map(described, found))))
    files: dict[Secret, Path] = {}
    for secret, question in {
        Secret.CA: _("PEM file of the hub's CA (empty: as it is)"),
        Secret.CERTIFICATE: _("PEM file of the room's certificate (empty: as it is)"),
        Secret.KEY: _("PEM file of its private key (empty: as it is)"),
    }.items():
        answer = typer.prompt(question, default="", show_default=False)
        if answer:
            files[secret] = Path(answer).expanduser()
    return answers, files
