"""The hub's commands by hand: join, leave, mute and the others, through the control socket.

Each shows its acks as they come; exit code 0 if the last one is `succeeded`, else 1.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import typer

from agent.cli.moments import coming_moment
from agent.cli.output import hanging
from agent.cli.session import Session, examples, session_of
from agent.cli.words import ack_lacks, ack_state, ack_text
from agent.core.model.commands import FINAL_STATES, Ack, AckState
from agent.core.model.json_values import Fields, Json
from agent.diagnostics.client import RESTART_IT, ControlError
from agent.locale import gettext as _

ANSWER_SECONDS = 10.0
"""For commands that need no network: longer means that the daemon is stuck."""

RESTART_SECONDS = 60.0
"""A Pi under load starts the agent in a quarter of it."""

NOTE_SECONDS = 1.5
"""Without any answer for so long it is said what to type."""

TIME_WIDTH, STATE_WIDTH = 9, 12


class OnOff(StrEnum):
    """`display on`, `record off`; also in Vietnamese, with and without its marks."""

    ON = "on"
    OFF = "off"
    BAT_WITH_MARKS = "bật"
    TAT_WITH_MARKS = "tắt"
    BAT = "bat"
    TAT = "tat"

    @property
    def word(self) -> str:
        """As the command has it."""
        return "on" if self in (OnOff.ON, OnOff.BAT_WITH_MARKS, OnOff.BAT) else "off"


class Scope(StrEnum):
    """What `restart` restarts."""

    AGENT = "agent"
    HOST = "host"


class Microphone(StrEnum):
    """How the microphone is after a join."""

    LIVE = "live"
    MUTED = "muted"


class Picture(StrEnum):
    """How much of a picture the room sends."""

    FULL = "full"
    SMALL = "small"
    OFF = "off"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    for function, text, lines in (
        (
            join,
            _("Be in this meeting"),
            (
                "diemcau join giao-ban",
                "diemcau join hop --until 11:30",
                "diemcau join giao-ban --picture small",
            ),
        ),
        (leave, _("Leave the meeting"), ("diemcau leave", "diemcau leave giao-ban")),
        (mute, _("Let no sound leave the room"), ("diemcau mute",)),
        (unmute, _("Let the room be heard"), ("diemcau unmute",)),
        (volume, _("Set the loudspeaker's volume"), ("diemcau volume 70",)),
        (display, _("Switch the display on or off"), ("diemcau display on",)),
        (identify, _("Blink the lamp, to find the box"), ("diemcau identify --seconds 30",)),
        (
            record,
            _("Record the meeting to a file, or stop"),
            ("diemcau record on", "diemcau record off"),
        ),
        (ping, _("See whether the daemon answers"), ("diemcau ping",)),
        (
            restart,
            _("Restart the agent or the machine; never in a meeting"),
            ("diemcau restart agent", "diemcau restart host"),
        ),
    ):
        app.command(help=text, epilog=examples(*lines))(function)


def join(
    context: typer.Context,
    *,
    meeting: Annotated[str, typer.Argument(help=_("the meeting's id, such as giao-ban"))],
    title: Annotated[str | None, typer.Option(help=_("its title for people"))] = None,
    publish: Annotated[
        str | None, typer.Option(help=_("WHIP address, if not the settings' one"))
    ] = None,
    play: Annotated[
        list[str] | None, typer.Option(help=_("WHEP address, if not the settings' ones"))
    ] = None,
    microphone: Annotated[Microphone, typer.Option(help=_("live or muted"))] = Microphone.MUTED,
    picture: Annotated[
        Picture | None, typer.Option(help=_("how much of a picture is sent: full, small or off"))
    ] = None,
    until: Annotated[
        str | None, typer.Option(help=_("when it ends: 11:30, or 2026-01-31T11:30"))
    ] = None,
    timeout: Annotated[float, typer.Option(help=_("seconds until it must stand"))] = 30,
    replace: Annotated[bool, typer.Option(help=_("leave another meeting for it"))] = False,
) -> None:
    """Join; URLs that are not given come from the settings."""
    fields: Fields = {
        "meeting": {"id": meeting, **({"title": title} if title else {})},
        "microphone": microphone.value,
        "timeout_seconds": timeout,
        "replace": replace,
    }
    if publish or picture:
        given = {"url": publish, "picture": picture.value if picture else None}
        fields["publish"] = {name: value for name, value in given.items() if value}
    if play:
        fields["play"] = [{"url": url} for url in play]
    if until:
        fields["until"] = coming_moment(until, datetime.now().astimezone()).isoformat()
    send(session_of(context), "join", timeout + ANSWER_SECONDS, **fields)


def leave(
    context: typer.Context,
    meeting: Annotated[
        str | None, typer.Argument(help=_("only if the room is in this meeting"))
    ] = None,
) -> None:
    """Leave."""
    fields = {"meeting": meeting} if meeting else {}
    send(session_of(context), "leave", 2 * ANSWER_SECONDS, **fields)


def mute(context: typer.Context) -> None:
    """Mute."""
    send(session_of(context), "mute")


def unmute(context: typer.Context) -> None:
    """Unmute."""
    send(session_of(context), "unmute")


def volume(
    context: typer.Context,
    percent: Annotated[int, typer.Argument(min=0, max=100, help=_("percent, 0 to 100"))],
) -> None:
    """Volume."""
    send(session_of(context), "volume", speaker=percent)


def display(
    context: typer.Context, power: Annotated[OnOff, typer.Argument(help=_("on or off"))]
) -> None:
    """Display."""
    send(session_of(context), "display", 2 * ANSWER_SECONDS, power=power.word)


def identify(
    context: typer.Context,
    seconds: Annotated[float, typer.Option(min=1, max=60, help=_("how long, in seconds"))] = 10,
) -> None:
    """Blink."""
    send(session_of(context), "identify", seconds + ANSWER_SECONDS, seconds=seconds)


def ping(context: typer.Context) -> None:
    """Ping."""
    send(session_of(context), "ping")


def restart(
    context: typer.Context,
    scope: Annotated[Scope, typer.Argument(help=_("agent or host"))] = Scope.AGENT,
) -> None:
    """Restart; the agent's is done when the new one says so."""
    session = session_of(context)
    if scope is Scope.AGENT:
        _show_all(session, session.client.restart(scope.value, RESTART_SECONDS))
        return
    try:
        send(session, "restart", RESTART_SECONDS, scope=scope.value)
    except ControlError as error:
        if error.code != "daemon-gone":
            raise
        session.console.print(_("The machine restarts; this connection will break off."))


def record(
    context: typer.Context, recording: Annotated[OnOff, typer.Argument(help=_("on or off"))]
) -> None:
    """Record."""
    send(session_of(context), "record", recording=recording.word)


def send(
    session: Session, kind: str, deadline_seconds: float = ANSWER_SECONDS, /, **fields: Json
) -> None:
    """Send a command and show its acks as they come; typer.Exit(1) unless it succeeded."""
    _show_all(session, session.client.command(kind, deadline_seconds, **fields))


def _show_all(session: Session, acks: Iterable[Ack]) -> None:
    began = time.monotonic()
    last: Ack | None = None
    note = threading.Timer(NOTE_SECONDS, _say_that_it_hangs)
    note.daemon = True
    note.start()
    try:
        for last in acks:
            note.cancel()
            _show(session, last, time.monotonic() - began)
    finally:
        note.cancel()
    if last is None or last.state is not AckState.SUCCEEDED:
        raise typer.Exit(1)


def _say_that_it_hangs() -> None:
    text = _("No answer yet. If the agent hangs: {command}")
    typer.echo(text.format(command=RESTART_IT), err=True)


def _show(session: Session, ack: Ack, seconds: float) -> None:
    style = ""
    if ack.state in FINAL_STATES:
        style = "ok" if ack.state is AckState.SUCCEEDED else "failed"
    width, said = session.console.width, ack_text(ack)
    head = (
        (f"{seconds:{TIME_WIDTH - 2}.3f} s  ", ""),
        (f"{ack_state(ack.state):<{STATE_WIDTH}} ", style),
    )
    session.console.print(hanging(width, head, said))
    indent = ((" " * (TIME_WIDTH + STATE_WIDTH + 2), ""),)
    for lack in ack_lacks(ack):
        session.console.print(hanging(width, indent, lack, "warning"))
