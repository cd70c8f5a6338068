"""`diemcau status`: the room on one screen, and `diemcau watch`, which keeps it live.

Both show the daemon's own answer; nothing is opened or measured here.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli import words
from agent.cli.session import Session, examples, session_of
from agent.core.documents import DeviceStatus, Phase, RoomState
from agent.diagnostics.client import ControlError, Link, RoomStatus
from agent.locale import gettext as _

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

EVENTS_SHOWN = 4
LABEL_WIDTH = 14


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(
        help=_("The room on one screen"), epilog=examples("diemcau status", "diemcau status --json")
    )(status)
    app.command(
        help=_("The same, live; end it with Ctrl-C"),
        epilog=examples("diemcau watch", "diemcau watch --every 5"),
    )(watch)


def status(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help=_("for programs"))] = False,
) -> None:
    """Show the status once; exit code 1 when the room has a fault."""
    session = session_of(context)
    if json:
        import msgspec

        typer.echo(msgspec.json.encode(session.client.ask("status")).decode())
        return
    answer = session.client.status()
    session.console.print(screen(answer, datetime.now().astimezone()))
    if answer.health is not None and answer.health.status == "failed":
        raise typer.Exit(1)


def watch(
    context: typer.Context,
    every: Annotated[float, typer.Option(min=0.2, help=_("seconds between looks"))] = 1.0,
) -> None:
    """Show the status again and again, also while the daemon goes and comes."""
    from rich.live import Live

    session = session_of(context)
    with Live(console=session.console, auto_refresh=False) as live:
        try:
            while True:
                live.update(_look(session), refresh=True)
                time.sleep(every)
        except KeyboardInterrupt:
            return


def _look(session: Session) -> Group | Text:
    from rich.text import Text

    try:
        return screen(session.client.status(), datetime.now().astimezone())
    except ControlError as error:
        return Text(error.text, style="failed")


def screen(status: RoomStatus, now: datetime) -> Group:
    """The room on one screen of 80 columns and 24 lines."""
    from rich.console import Group

    health = status.health
    lines = [_title(status.state, now), _meeting(status)]
    if health is not None:
        lines += [_device(kind, health.devices[kind]) for kind in health.devices]
    lines.append(_hub(status.link))
    if health is not None and health.media:
        lines.append(_line(_("media"), *_figures(health.media)))
    if status.faults:
        lines.append(_heading(_("Last events")))
        lines += [_fault(event.at, event.text) for event in status.faults[-EVENTS_SHOWN:]]
    return Group(*lines)


def _title(state: RoomState, now: datetime) -> Text:
    from rich.text import Text

    return Text.assemble(
        (state.room, "heading"),
        f"   {now:%H:%M:%S}   diemcau {state.agent.version}",
        f"   {_('running since')} {state.agent.started.astimezone():%d/%m %H:%M}",
    )


def _meeting(status: RoomStatus) -> Text:
    state = status.state
    parts: list[tuple[str, str]] = [
        (words.phase(state.phase), "failed" if state.phase is Phase.FAULT else "heading")
    ]
    if state.meeting is not None:
        parts.append((f"{state.meeting.id} {state.meeting.title or ''}".strip(), ""))
        parts.append((f"{_('since')} {state.meeting.since.astimezone():%H:%M}", ""))
        if state.meeting.until is not None:
            parts.append((f"{_('until')} {state.meeting.until.astimezone():%H:%M}", ""))
        parts.append((_microphone(status), "warning" if status.muted_by_hand else ""))
    return _line(_("room"), *parts)


def _microphone(status: RoomStatus) -> str:
    if status.muted_by_hand:
        return _("muted by hand, at the button")
    return {
        "live": _("microphone is heard"),
        "muted": _("microphone is muted"),
        "off": _("no microphone"),
    }[status.state.microphone]


def _device(kind: str, device: DeviceStatus) -> Text:
    word, style = words.device_status(device.status)
    optional = "" if device.required else _("(not required)")
    return _line(words.device_name(kind), (word, style), (device.text, ""), (optional, "quiet"))


def _hub(link: Link) -> Text:
    if not link.up:
        return _line(_("hub"), (_("no connection"), "failed"), (link.text, ""))
    trip = link.round_trip_milliseconds
    return _line(
        _("hub"), (_("connected"), "ok"), (f"{trip:.0f} ms" if trip is not None else "", "")
    )


def _figures(media: dict[str, Any]) -> list[tuple[str, str]]:
    """Numbers and words of the media child; names carry their unit."""
    return [
        (f"{name.replace('_', ' ')} {value:g}", "")
        for name, value in media.items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    ]


def _fault(at: datetime, text: str) -> Text:
    from rich.text import Text

    return Text(f"  {at.astimezone():%d/%m %H:%M:%S}  {text}")


def _heading(text: str) -> Text:
    from rich.text import Text

    return Text(text, style="heading")


def _line(label: str, *parts: tuple[str, str]) -> Text:
    """A label and what belongs to it."""
    from rich.text import Text

    line = Text(f"{label:<{LABEL_WIDTH}}", style="")
    line.append_text(Text("  ").join(Text(text, style=style) for text, style in parts if text))
    return line
