"""The hub's commands for a room that takes part, by hand: raise, lower, call, show, hide, check."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from agent.cli.room import ANSWER_SECONDS, send
from agent.cli.session import examples, session_of
from agent.core.model.json_values import Fields
from agent.locale import gettext as _

JOIN_SECONDS = 60.0
CHECK_SECONDS = 100.0
"""A little longer than the daemon gives a check that hangs."""


class Then(StrEnum):
    """What follows when nobody answers a call."""

    JOIN = "join"
    NOTHING = "nothing"


class Level(StrEnum):
    """How urgent a message is."""

    INFO = "info"
    WARNING = "warning"
    URGENT = "urgent"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command("raise", help=_("Raise the room's hand"), epilog=examples("diemcau raise"))(raise_)
    for function, text, lines in (
        (lower, _("Lower the hand, or give the floor back"), ("diemcau lower",)),
        (
            call,
            _("Call the room's people to a meeting, then join it"),
            ("diemcau call bao-so-5 --text 'Họp khẩn' --ring 60",),
        ),
        (
            show,
            _("Show a message on the screen"),
            ("diemcau show 'Điểm danh' --answer 'Có mặt' --answer 'Vắng'",),
        ),
        (hide, _("Show no message any more"), ("diemcau hide",)),
        (
            check,
            _("Have the room check itself for a meeting"),
            ("diemcau check", "diemcau check camera microphone --quiet"),
        ),
    ):
        app.command(help=text, epilog=examples(*lines))(function)


def raise_(context: typer.Context) -> None:
    """Raise."""
    send(session_of(context), "floor", state="queued")


def lower(context: typer.Context) -> None:
    """Lower."""
    send(session_of(context), "floor", state="none")


def call(
    context: typer.Context,
    *,
    meeting: Annotated[str, typer.Argument(help=_("the meeting's id, such as giao-ban"))],
    text: Annotated[str | None, typer.Option(help=_("the words on the screen"))] = None,
    caller: Annotated[str | None, typer.Option(help=_("who calls"))] = None,
    ring: Annotated[float, typer.Option(min=1, max=600, help=_("seconds to ring"))] = 30,
    then: Annotated[Then, typer.Option(help=_("when nobody comes: join or nothing"))] = Then.JOIN,
    volume: Annotated[
        int | None, typer.Option(min=0, max=100, help=_("the chime's volume, 0 to 100"))
    ] = None,
    replace: Annotated[bool, typer.Option(help=_("leave another meeting for it"))] = False,
) -> None:
    """Call."""
    given = {"text": text, "caller": caller, "volume": volume}
    fields: Fields = {name: value for name, value in given.items() if value is not None}
    fields |= {"meeting": {"id": meeting}, "ring_seconds": ring, "then": then.value}
    send(session_of(context), "call", ring + JOIN_SECONDS, **fields, replace=replace)


def show(
    context: typer.Context,
    *,
    text: Annotated[str, typer.Argument(help=_("the words"))],
    level: Annotated[Level, typer.Option(help=_("info, warning or urgent"))] = Level.INFO,
    seconds: Annotated[float | None, typer.Option(help=_("how long, in seconds"))] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help=_("an answer for the button; two at the most"))
    ] = None,
) -> None:
    """Show."""
    fields: Fields = {"text": text, "level": level.value, "answers": [*(answer or ())]}
    if seconds is not None:
        fields["seconds"] = seconds
    send(session_of(context), "show", 2 * ANSWER_SECONDS, **fields)


def hide(
    context: typer.Context,
    shown: Annotated[str | None, typer.Argument(help=_("only the message with this id"))] = None,
) -> None:
    """Hide."""
    send(session_of(context), "hide", **({"show": shown} if shown else {}))


def check(
    context: typer.Context,
    parts: Annotated[
        list[str] | None, typer.Argument(help=_("only these, such as: camera hub"))
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help=_("make no sound"))] = False,
) -> None:
    """The daemon runs the doctor; what is not well is shown."""
    sound = "off" if quiet else "on"
    send(session_of(context), "check", CHECK_SECONDS, parts=[*(parts or ())], sound=sound)
