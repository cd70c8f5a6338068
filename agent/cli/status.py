"""`diemcau status`: the room on one screen, and `diemcau watch`, which keeps it live.

Both show the daemon's own answer; nothing is opened or measured here.
"""

from __future__ import annotations

import signal
import threading
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from agent.cli import words
from agent.cli.findings import outcome_word
from agent.cli.media_lines import media_lines
from agent.cli.output import hanging
from agent.cli.room_day import finding_text
from agent.cli.session import Session, examples, session_of
from agent.core.model.documents import (
    CheckFinding,
    DeviceStatus,
    EventDocument,
    HealthDocument,
    HostHealth,
    Phase,
    RoomState,
    Status,
)
from agent.core.model.local_queries import StatusQuery
from agent.core.model.room_status import HubLinkStatus, RoomStatus
from agent.core.readiness import not_ready
from agent.diagnostics.client import ControlError
from agent.diagnostics.report import Outcome
from agent.locale import gettext as _
from agent.locale import ngettext

if TYPE_CHECKING:
    from rich.console import Group
    from rich.text import Text

EVENTS_SHOWN = 4
LABEL_WIDTH, WORD_WIDTH = 14, 12


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
        typer.echo(session.client.ask(StatusQuery()).decode())
        return
    answer = session.client.status()
    session.console.print(screen(answer, session.console.width, session.room_name))
    if answer.health is not None and (
        answer.health.status == "failed" or _not_ready(answer.health)
    ):
        raise typer.Exit(1)


def watch(
    context: typer.Context,
    every: Annotated[float, typer.Option(min=0.2, help=_("seconds between looks"))] = 1.0,
) -> None:
    """Show the status again and again, also while the daemon goes and comes."""
    session = session_of(context)
    ended = threading.Event()
    # no KeyboardInterrupt: raised while Python clears something up it is lost, and the user types it again
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    if session.console.is_terminal:
        _keep_live(session, every, ended)
    while not ended.is_set():
        session.console.print(_screen_now(session))
        ended.wait(every)


def _keep_live(session: Session, every: float, ended: threading.Event) -> None:
    from rich.live import Live

    with Live(console=session.console, auto_refresh=False, screen=True) as live:
        while not ended.is_set():
            live.update(_screen_now(session), refresh=True)
            ended.wait(every)


def _screen_now(session: Session) -> Group | Text:
    from rich.text import Text

    try:
        return screen(session.client.status(), session.console.width, session.room_name)
    except ControlError as error:
        return Text(words.text(error.text), style="failed")


def screen(status: RoomStatus, width: int, name: str = "") -> Group:
    """The room on one screen of 80 columns and 24 lines: the verdict first."""
    from rich.console import Group

    health = status.health
    rows = [_title(status.state), *_room(status)]
    if health is not None:
        rows += [_device(kind, device, status) for kind, device in health.devices.items()]
        rows += _host(health.host)
        rows += _last_check(health)
    rows.append(_hub(status.link))
    if health is not None and health.media:
        rows += [
            (name, _("ok") if flows else _("warning"), "ok" if flows else "warning", text)
            for name, flows, text in media_lines(health.media)
        ]
        if health.media.code == "overloaded":
            rows.append((_("display"), _("warning"), "warning", words.text(health.media.text)))
    lines = [_verdict(status, name), *(_line(width, *row) for row in rows)]
    if status.faults:
        lines.append(hanging(width, ((_("Last events"), "heading"),), ""))
        lines += [_event(width, event) for event in status.faults[-EVENTS_SHOWN:]]
    return Group(*lines)


Row = tuple[str, str, str, str]
"""Label, word, the word's style, the rest."""


def _title(state: RoomState) -> Row:
    text = _("diemcau {version}, running since {since}").format(
        version=state.agent.version, since=f"{state.agent.started.astimezone():%d/%m %H:%M}"
    )
    return state.room, f"{datetime.now():%H:%M:%S}", "heading", text


def _verdict(status: RoomStatus, name: str) -> Text:
    """Whose status this is and whether all is well, in one line."""
    from rich.text import Text

    troubles, warnings = _troubles(status)
    if troubles:
        style = "failed"
        text = ngettext("{n} thing has failed", "{n} things have failed", troubles)
    elif warnings:
        style = "warning"
        text = ngettext("Works, with {n} warning", "Works, with {n} warnings", warnings)
    else:
        style, text = "ok", _("Everything is in order")
    room = f"{name} ({status.state.room})" if name else status.state.room
    return Text.assemble((f"{room}: ", "heading"), (text.format(n=troubles or warnings), style))


def _troubles(status: RoomStatus) -> tuple[int, int]:
    """How many failures and warnings the lines below show."""
    health = status.health
    devices = [] if health is None else _findings(health.devices)
    failures = devices.count(Outcome.FAILED) + (not status.link.up)
    failures += status.state.phase is Phase.FAULT
    warnings = devices.count(Outcome.WARNING) + (status.state.retry is not None)
    if health is not None:
        failures += len(_not_ready(health))
        warnings += bool(_host(health.host))
        warnings += health.media is not None and health.media.status is not Status.OK
    return failures, warnings


def _findings(devices: dict[str, DeviceStatus]) -> list[Outcome]:
    from agent.diagnostics.checks.trouble import finding

    return [
        finding(kind, device).outcome
        for kind, device in devices.items()
        if device.status is not Status.OK
    ]


def _room(status: RoomStatus) -> list[Row]:
    state = status.state
    style = "failed" if state.phase is Phase.FAULT else "heading"
    rows = [(_("room"), words.phase(state.phase), style, "")]
    meeting = state.meeting
    if meeting is not None:
        parts = [meeting.title or "", f"{_('since')} {meeting.since.astimezone():%H:%M}"]
        if meeting.until is not None:
            parts.append(f"{_('until')} {meeting.until.astimezone():%H:%M}")
        if state.recording == "on":
            parts.append(_("is recorded"))
        rows.append((_("meeting"), meeting.id, "heading", ", ".join(filter(None, parts))))
    ack = status.failed_join
    if ack is not None and state.phase in (Phase.STANDBY, Phase.JOINING):
        text = f"{ack.at.astimezone():%d/%m %H:%M}: {words.ack_text(ack)}"
        if state.retry is not None and state.retry.at is not None:
            next_try = _("tried again at {time}").format(
                time=f"{state.retry.at.astimezone():%H:%M:%S}"
            )
            text = f"{text}; {next_try}"
        rows.append((_("last join"), words.ack_state(ack.state), "failed", text))
    return rows


def _device(kind: str, device: DeviceStatus, status: RoomStatus) -> Row:
    """With the doctor's own word for what is wrong."""
    if device.status is Status.OK:
        return words.device_name(kind), _("ok"), "ok", _use(kind, status)
    from agent.diagnostics.checks.trouble import finding

    found = finding(kind, device)
    optional = "" if device.required else " " + _("(not required)")
    text = f"{found.title}{optional}. {found.advice}"
    return words.device_name(kind), outcome_word(found.outcome), found.outcome.value, text


def _use(kind: str, status: RoomStatus) -> str:
    """What a device that is well does now."""
    match kind:
        case "microphone" if status.muted_by_hand:
            return _("muted by hand, at the button")
        case "microphone":
            return {"live": _("is heard"), "muted": _("muted"), "off": ""}[status.state.microphone]
        case "camera":
            return _seen(status.state)
        case "speaker" if status.speaker_volume is not None:
            return _("volume {percent} %").format(percent=status.speaker_volume)
        case "display":
            return {"on": _("on"), "off": _("off")}[status.state.display]
    return ""


def _seen(state: RoomState) -> str:
    """How much of the room's picture others get."""
    if state.camera_off_by_hand:
        return _("off by hand, at the button")
    if state.camera == "off":
        return ""
    return {"full": _("is seen"), "small": _("is seen small"), "off": _("is not sent")}[
        state.picture
    ]


def _host(host: HostHealth) -> list[Row]:
    """The machine, only if something is wrong with it."""
    if host.status is Status.OK:
        return []
    text = words.host_trouble(host.code, host.text)
    return [(_("machine"), _("warning"), "warning", text)]


def _last_check(health: HealthDocument) -> list[Row]:
    """What the doctor found by command, and when: nothing is looked at here."""
    readiness = health.readiness
    if readiness.at is None:
        return []
    at = f"{readiness.at.astimezone():%d/%m %H:%M}"
    if readiness.verdict == "unknown":
        return [(_("last check"), _("out of date"), "quiet", at)]
    found = "; ".join(map(finding_text, _not_ready(health)))
    if readiness.verdict == "go":
        return [(_("last check"), _("ok"), "ok", at)]
    return [(_("last check"), _("failed"), "failed", f"{at}: {found}" if found else at)]


def _not_ready(health: HealthDocument) -> list[CheckFinding]:
    """What keeps the room from meeting, of what no line of a device says already."""
    codes = {kind: device.code for kind, device in health.devices.items()}
    return not_ready(health.readiness.verdict, health.readiness.findings, codes)


def _hub(link: HubLinkStatus) -> Row:
    if not link.up:
        return _("hub"), _("failed"), "failed", hub_trouble(link)
    trip = link.round_trip_milliseconds
    text = "" if trip is None else _("round trip {trip:.0f} ms").format(trip=trip)
    return _("hub"), _("ok"), "ok", text


def hub_trouble(link: HubLinkStatus) -> str:
    """Why there is no link, and what to do."""
    from agent.diagnostics.checks.hub_words import describe

    found = describe(link.code, link.text)
    return f"{found.title}. {found.advice}"


def _event(width: int, event: EventDocument) -> Text:
    head = ((f"  {event.at.astimezone():%d/%m %H:%M:%S}  ", "quiet"),)
    return hanging(width, head, words.event(event))


def _line(width: int, label: str, word: str, style: str, text: str) -> Text:
    head = ((f"{label:<{LABEL_WIDTH}} ", ""), (f"{word:<{WORD_WIDTH}} ", style))
    return hanging(width, head, text)
