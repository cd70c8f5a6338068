"""`diemcau setup`: which room this is and where its hub is, asked or given, then the service started.

Changes the settings file only as a whole, and only to something that the agent can run with.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from agent.cli.interview import Interview
from agent.cli.service import reload_service, start_service
from agent.cli.session import Session, examples, session_of
from agent.config import parse_value
from agent.config.first_run import FirstRun, Secret
from agent.diagnostics.site import ask
from agent.errors import AgentError
from agent.locale import gettext as _

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
    asked = not wanted and not files and sys.stdin.isatty()
    if asked:
        Interview(session, first_run).hold()
    else:
        first_run.apply(wanted, files)
    session.console.print(_("{path} is written.").format(path=session.config_path))
    try:
        if start:
            _take_over(session)
    finally:
        if asked:  # also where the service did not start: it says why
            _check_room(session)


def _take_over(session: Session) -> None:
    """Have the service use what was written. Raises AgentError with the reason if it can't."""
    if ask(session.client_if_any).in_meeting:
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


def _check_room(session: Session) -> None:
    """Whether all that was chosen works, as the doctor sees it."""
    from agent.cli.doctor import progress, show
    from agent.diagnostics import runner
    from agent.diagnostics.site import inspect
    from agent.diagnostics.subjects import SUBJECTS

    site = inspect(session.config_path, session.client_if_any)
    session.console.print()
    with progress(session, len(SUBJECTS), silent=False) as on_start:
        report = runner.run(site, SUBJECTS, on_start)
    show(session, report, in_full=False)
