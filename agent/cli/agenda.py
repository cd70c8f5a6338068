"""`diemcau agenda`: in a room what it will join by itself; at the hub, calendars to agendas.

The hub's verbs keep a plan on the operator's machine and publish what follows from it (agent.agenda).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from agent.agenda.plan import (
    Change,
    Plan,
    Planned,
    changes,
    is_news,
    local_text,
    planned,
    write_plan,
)
from agent.agenda.rooms import KnownRoom, RoomList
from agent.cli.addressed import address_of
from agent.cli.asking import confirm
from agent.cli.enrolled import warn_of_strangers
from agent.cli.plan_file import changing, load
from agent.cli.room_day import readiness_text, standing_text
from agent.cli.session import examples, session_of
from agent.cli.signing import DEFAULT_FOLDER, Folder
from agent.core.model.agenda import MAX_DAYS, MAX_ITEMS, AgendaItem, meeting_id_of, slug
from agent.core.model.commands import Attendance, Meeting
from agent.errors import AgentError, ConfigError
from agent.locale import gettext as _
from agent.locale import translate

if TYPE_CHECKING:
    from rich.console import Console

    from agent.agenda.calendar import Reading

DEFAULT_PLAN = Path("/var/lib/diemcau-hub/agenda.json")
HUB_SETTINGS = Path("/etc/diemcau-hub/conductor.yaml")

_MEANWHILE = "somebody else has changed the plan or published meanwhile, so nothing was published; see what would change now: diemcau agenda publish"

PlanFile = Annotated[
    Path,
    typer.Option("--plan", envvar="DIEMCAU_AGENDA", help=_("the file with all that is planned")),
]
To = Annotated[
    list[str] | None, typer.Option(help=_("room/ID or group/ID, where the calendar names nobody"))
]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    noun = typer.Typer(
        help=_("The meetings that rooms join by themselves"),
        invoke_without_command=True,
        rich_markup_mode=None,
    )
    noun.callback()(of_this_room)
    for name, command, text, line in (
        ("import", import_, _("Take calendars (iCalendar files or folders of them)"),
         "diemcau agenda import giao-ban.ics --rooms rooms.csv"),
        ("add", add, _("Plan one meeting by hand"),
         "diemcau agenda add 'Họp bão' --starts '2026-11-30 07:15' --to group/all"),
        ("list", list_, _("All that is planned"), "diemcau agenda list"),
        ("cancel", cancel, _("Call a meeting off"), "diemcau agenda cancel hop-bao-once-3fa2b81c07"),
        ("publish", publish, _("Tell the rooms; shows first what would change"),
         "diemcau agenda publish --yes"),
    ):  # fmt: skip
        noun.command(name, help=text, epilog=examples(line))(command)
    app.add_typer(noun, name="agenda")


def of_this_room(
    context: typer.Context,
    json: Annotated[bool, typer.Option("--json", help=_("for programs"))] = False,
) -> None:
    """This room's meetings to come, as its daemon knows them."""
    if context.invoked_subcommand is not None:
        return
    client, console = session_of(context).client, session_of(context).console
    answer = client.agenda()
    if json:
        print(msgspec.json.format(msgspec.json.encode(answer.items)).decode())
        return
    status = client.status()
    if not answer.items:
        console.print(_("Nothing is planned: the hub has sent no agenda"))
    for item in answer.items:
        console.print(_line(item), style="quiet" if item.cancelled else None)
        if why := standing_text(answer.standings.get(item.id), status):
            console.print(f"    {why}", soft_wrap=True)
    console.print(readiness_text(status), soft_wrap=True)


def import_(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help=_("iCalendar files, or folders of them"))],
    rooms: Annotated[Path | None, typer.Option(help=_("CSV of rooms: id,name,groups,mail"))] = None,
    to: To = None,
    plan_file: PlanFile = DEFAULT_PLAN,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """What these files say now replaces what they said before; what is gone from them is cancelled."""
    from agent.agenda.calendar import read_calendars
    from agent.enrolment.rooms_table import read_rooms

    known = RoomList(KnownRoom(*one) for one in read_rooms(rooms)) if rooms else RoomList([])
    default = [address_of(one) for one in to or []]
    now = datetime.now(UTC)
    console = session_of(context).console
    paths = list(_calendars(files))
    contents = [_bytes(path) for path in paths]
    readings = read_calendars(contents, now, now + timedelta(days=MAX_DAYS))
    whole = True
    with changing(plan_file) as plan:
        for path, reading in zip(paths, readings, strict=True):
            meetings = _invited(path, reading, known, default, console)
            whole &= _take(plan, path, reading, meetings, console)
    warn_of_strangers(console, folder, _addresses(plan, paths))
    console.print(_("Next: diemcau agenda publish"), style="quiet")
    if not whole:
        raise typer.Exit(1)


def _take(
    plan: Plan, path: Path, reading: Reading, meetings: list[Planned], console: Console
) -> bool:
    """Into the plan, and say what came of it; whether the file gave meetings, and all of them are some room's."""
    for complaint in reading.complaints:
        console.print(f"{path.name}: {translate(complaint)}", style="warning", soft_wrap=True)
    if reading.complaints and not (reading.occurrences or reading.series):
        return False  # a file that is broken cancels nothing
    source = str(path.resolve())  # two folders may have a basic.ics each
    for title in plan.put(source, meetings, reading):
        text = _("{file}: {title}: a newer version was read before, so nothing changes")
        said = text.format(file=path.name, title=repr(title))
        console.print(said, style="warning", soft_wrap=True)
    text = _("{file}: {count} meetings in the next {days} days")
    console.print(text.format(file=path.name, count=len(meetings), days=MAX_DAYS))
    if reading.complaints and not reading.occurrences:
        return False
    return len(meetings) == len(reading.occurrences)


def _addresses(plan: Plan, paths: list[Path]) -> list[str]:
    """Whom the meetings are for that these files have."""
    sources = {str(path.resolve()) for path in paths}
    taken = [one for one in plan.meetings if one.source in sources and not one.item.cancelled]
    return [address for one in taken for address in one.to]


def _invited(
    path: Path, reading: Reading, known: RoomList, default: list[str], console: Console
) -> list[Planned]:
    """The meetings that rooms are invited to; each title of another one is named, with who is."""
    meetings: list[Planned] = []
    strangers: dict[str, str] = {}
    for one in reading.occurrences:
        matched = known.match(one.attendees)
        if addresses := matched.addresses or default:
            meetings.append(planned(one, addresses, str(path.resolve())))
        else:
            strangers[one.title] = ", ".join(matched.strangers)
    for title, names in strangers.items():
        text = _("{file}: {title}: none of its attendees is a room; use --rooms or --to")
        said = text.format(file=path.name, title=repr(title)) + (f" ({names})" if names else "")
        console.print(said, style="warning", soft_wrap=True)
    return meetings


def add(
    context: typer.Context,
    title: Annotated[str, typer.Argument(help=_("the meeting's title"))],
    *,
    starts: Annotated[
        str, typer.Option(help=_("when, by this machine's clock: '2026-11-30 07:15'"))
    ],
    minutes: Annotated[int, typer.Option(min=1, max=1440, help=_("how long"))] = 60,
    to: Annotated[list[str], typer.Option(help=_("room/ID or group/ID"))],
    meeting: Annotated[
        str, typer.Option(help=_("the meeting's id; made of the title unless given"))
    ] = "",
    priority: Annotated[
        int, typer.Option(min=0, max=9, help=_("0 is ordinary; more takes rooms out of less"))
    ] = 0,
    ring: Annotated[bool, typer.Option(help=_("ring in the rooms at the beginning"))] = False,
    plan_file: PlanFile = DEFAULT_PLAN,
    folder: Folder = DEFAULT_FOLDER,
) -> None:
    """One meeting."""
    try:
        begin = datetime.fromisoformat(starts).astimezone()
    except ValueError as error:
        raise ConfigError(
            [_("--starts {text}: expected 2026-11-30 07:15").format(text=starts)]
        ) from error
    if begin + timedelta(minutes=minutes) <= datetime.now(UTC):
        raise ConfigError([_("--starts {text}: that is past").format(text=starts)])
    number = (
        f"{slug(title)[:30].strip('-') or 'meeting'}-{begin.astimezone(UTC):%Y%m%dt%H%Mz}-by-hand"
    )
    item = AgendaItem(
        id=number,
        title=title,
        starts=begin.astimezone(UTC),
        ends=(begin + timedelta(minutes=minutes)).astimezone(UTC),
        join=Attendance(Meeting(meeting or meeting_id_of(title, number[:64]), title)),
        local=local_text(begin),
        ring=ring,
        priority=priority,
    )
    item = msgspec.convert(
        msgspec.to_builtins(item), AgendaItem
    )  # its rules, also for what was typed
    new = Planned(item, [address_of(one) for one in to])
    with changing(plan_file) as plan:
        others = [one for one in plan.meetings if one.item.id != item.id]
        plan.meetings = sorted([*others, new], key=lambda one: (one.item.starts, one.item.id))
    session_of(context).console.print(f"{item.id}  {_line(item)}", soft_wrap=True)
    warn_of_strangers(session_of(context).console, folder, new.to)
    session_of(context).console.print(_("Next: diemcau agenda publish"), style="quiet")


def list_(
    context: typer.Context,
    plan_file: PlanFile = DEFAULT_PLAN,
    json: Annotated[bool, typer.Option("--json", help=_("for programs"))] = False,
) -> None:
    """What is planned, in order of time."""
    plan = load(plan_file)
    if json:
        print(write_plan(plan).decode(), end="")
        return
    console = session_of(context).console
    if not plan.meetings:
        console.print(_("Nothing is planned: diemcau agenda add, or diemcau agenda import"))
    for one in plan.meetings:
        console.print(_line(one.item), style="quiet" if one.item.cancelled else None)
        console.print(f"    {one.item.id}  {', '.join(one.to)}", style="quiet", soft_wrap=True)


def cancel(
    context: typer.Context,
    item_id: Annotated[
        str, typer.Argument(metavar="ID", help=_("as diemcau agenda list shows it"))
    ],
    plan_file: PlanFile = DEFAULT_PLAN,
) -> None:
    """Rooms that are in it by the agenda leave when it is published."""
    with changing(plan_file) as plan:
        cancelled = plan.cancel(item_id)
    session_of(context).console.print(_line(cancelled.item))
    session_of(context).console.print(_("Next: diemcau agenda publish"), style="quiet")


def publish(
    context: typer.Context,
    key: Annotated[
        Path | None, typer.Option(help=_("private key that signs it (diemcau hub key)"))
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help=_("do not ask"))] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("only show what would change"))
    ] = False,
    settings: Annotated[
        Path,
        typer.Option("--conductor", envvar="DIEMCAU_CONDUCTOR", help=_("the hub's settings file")),
    ] = HUB_SETTINGS,
    plan_file: PlanFile = DEFAULT_PLAN,
) -> None:
    """Exit code 0 if rooms know it, 1 if it was not wanted, 2 if the hub can't be reached or a room would refuse it."""
    from agent.conductor.agenda_desk import AgendaDesk
    from agent.conductor.settings import load as load_settings

    now = datetime.now(UTC)
    plan, console = load(plan_file), session_of(context).console
    read = plan.meetings
    plan.forget_before(now)
    with AgendaDesk(load_settings(settings, check_files=False), key) as desk:
        before = desk.documents()
        wanted = plan.documents(now, {address: one.version for address, one in before.items()})
        lines = [
            change
            for address, document in wanted.items()
            for change in changes(address, before.get(address), document, now)
        ]
        changed = {
            address: document
            for address, document in wanted.items()
            if is_news(before.get(address), document)
        }
        _show(console, lines, desk.unknown(changed), plan.untold(now))
        messages = desk.messages(changed)
        if dry_run:
            return
        if lines and not yes and not confirm(_("Publish this?"), default=False):
            raise typer.Exit(1)
        with changing(plan_file) as current:
            if current.meetings != read or desk.documents() != before:
                raise AgentError("plan-changed", f"{plan_file}: {_MEANWHILE}")
            current.forget_before(now)
            for message in messages:
                desk.publish(message)
    if changed:
        console.print(_("Published for {count} rooms and groups").format(count=len(changed)))


def _show(
    console: Console, lines: list[Change], unknown: list[str], untold: list[AgendaItem]
) -> None:
    """What publishing would change, and what the operator should know before."""
    for change in lines:
        console.print(_change(change), soft_wrap=True)
    if not lines:
        console.print(_("Nothing changes for any room"))
    for address in unknown:
        text = _("{address}: no room of this name, or in this group, has ever been at this hub")
        console.print(text.format(address=address), style="warning", soft_wrap=True)
    if untold:
        console.print(_untold(untold), style="warning", soft_wrap=True)


def _untold(items: list[AgendaItem]) -> str:
    text = _(
        "{count} meetings are not told to rooms yet, since an agenda has {days} days and {items} meetings; "
        "publish again before the first of them: {first}"
    )
    return text.format(count=len(items), days=MAX_DAYS, items=MAX_ITEMS, first=_line(items[0]))


def _change(change: Change) -> str:
    words = {
        "new": _("new"),
        "moved": _("moved"),
        "changed": _("changed"),
        "cancelled": _("cancelled"),
        "gone": _("taken out"),
    }
    return f"{change.address}  {words[change.kind]}  {_line(change.item)}"


def _line(item: AgendaItem) -> str:
    begin, end = item.starts.astimezone(), item.ends.astimezone()
    text = f"{begin:%Y-%m-%d %H:%M}-{end:%H:%M}  {item.title}"
    if item.priority:
        text += "  " + _("priority {number}").format(number=item.priority)
    return text + ("  " + _("cancelled") if item.cancelled else "")


def _calendars(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.glob("*.ics"))
        else:
            yield path


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AgentError("no-calendar", f"{path}: {error.strerror}") from error
