"""`diemcau meeting`: a meeting of many rooms, through the conductor's control socket.

Exit code 0 if it was done, 1 if the conductor refused it, 2 if the conductor could not be asked.
"""

from __future__ import annotations

import csv
import io
import sys
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import msgspec
import typer

from agent.cli import words
from agent.cli.meeting_lines import lines, present
from agent.cli.meeting_words import refusal
from agent.cli.session import Session, examples, session_of
from agent.conductor.client import ask
from agent.conductor.core.minutes_pages import csv_rows, markdown
from agent.conductor.core.model.acts import (
    Act,
    Call,
    End,
    Extend,
    Give,
    Level,
    Message,
    Mode,
    MuteAll,
    Next,
    StartMeeting,
    Take,
)
from agent.conductor.core.model.views import MeetingView
from agent.conductor.core.refused import Refused
from agent.conductor.requests import Answer, ListMeetings, Question, ShowMinutes
from agent.conductor.settings import DEFAULT_PATH, Conductor, load
from agent.errors import ConfigError
from agent.locale import gettext as _
from agent.locale import translate

Config = Annotated[
    Path, typer.Option("--conductor", envvar="DIEMCAU_CONDUCTOR", help=_("the hub's settings file"))
]
Json = Annotated[bool, typer.Option("--json", help=_("for programs"))]
Id = Annotated[str, typer.Argument(help=_("the meeting's id, such as giao-ban"))]
Room = Annotated[str, typer.Argument(help=_("the room's id"))]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    noun = typer.Typer(
        help=_("A meeting of many rooms, run at the hub"),
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    for name, function, text, line in (
        ("start", start, _("Begin a meeting and call its rooms"),
         "diemcau meeting start giao-ban --group xa --chair tinh"),
        ("list", list_, _("The meetings that run, or ran"), "diemcau meeting list --past"),
        ("show", show, _("Who is there, who speaks, who waits"), "diemcau meeting show giao-ban"),
        ("give", give, _("Give a room the floor"), "diemcau meeting give giao-ban thon-5"),
        ("take", take, _("Take the floor back"), "diemcau meeting take giao-ban thon-5"),
        ("next", next_, _("The first raised hand gets the floor"), "diemcau meeting next giao-ban"),
        ("mute-all", mute_all, _("Nobody but the chair is heard"),
         "diemcau meeting mute-all giao-ban"),
        ("call", call, _("Ring urgently in rooms that are not there"),
         "diemcau meeting call giao-ban thon-5 --text 'Bão số 5'"),
        ("message", message, _("A text on the rooms' screens; a roll call"),
         "diemcau meeting message giao-ban 'Có mặt?' --answer Có --answer Vắng"),
        ("extend", extend, _("Let it end later, or earlier"), "diemcau meeting extend giao-ban 30"),
        ("end", end, _("End it: every room leaves"), "diemcau meeting end giao-ban"),
        ("minutes", minutes, _("Who was there, who spoke, what went wrong"),
         "diemcau meeting minutes giao-ban --format csv"),
    ):  # fmt: skip
        noun.command(name, help=text, epilog=examples(line))(function)
    app.add_typer(noun, name="meeting")


def start(
    context: typer.Context,
    *,
    meeting: Id,
    room: Annotated[list[str] | None, typer.Option(help=_("a room; may be repeated"))] = None,
    group: Annotated[list[str] | None, typer.Option(help=_("all rooms of a group"))] = None,
    chair: Annotated[str | None, typer.Option(help=_("the room that has the chair"))] = None,
    title: Annotated[str | None, typer.Option(help=_("its title for people"))] = None,
    mode: Annotated[Mode, typer.Option(help=_("who may speak"))] = Mode.CHAIR_GRANTS,
    minutes_long: Annotated[
        float | None, typer.Option("--minutes", min=1, help=_("how long it lasts"))
    ] = None,
    record: Annotated[bool, typer.Option(help=_("rooms record it"))] = False,
    urgent: Annotated[bool, typer.Option(help=_("ring in every room"))] = False,
    speaking: Annotated[
        float | None, typer.Option(min=0.5, help=_("minutes that one may speak"))
    ] = None,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Start."""
    act = StartMeeting(
        meeting,
        room or [],
        group or [],
        chair,
        title,
        mode,
        _from_now(minutes_long) if minutes_long else None,
        "on" if record else "off",
        urgent,
        speaking * 60 if speaking else None,
    )
    _act(context, conductor, act, json)


def give(
    context: typer.Context,
    meeting: Id,
    room: Room,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Give."""
    _act(context, conductor, Give(meeting, room), json)


def take(
    context: typer.Context,
    meeting: Id,
    room: Annotated[str | None, typer.Argument(help=_("only from this room"))] = None,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Take."""
    _act(context, conductor, Take(meeting, room), json)


def next_(
    context: typer.Context,
    meeting: Id,
    after: Annotated[
        list[str] | None, typer.Option(help=_("only if these rooms have the floor now"))
    ] = None,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Next."""
    _act(context, conductor, Next(meeting, after), json)


def mute_all(
    context: typer.Context, meeting: Id, conductor: Config = DEFAULT_PATH, json: Json = False
) -> None:
    """Mute all."""
    _act(context, conductor, MuteAll(meeting), json)


def call(
    context: typer.Context,
    meeting: Id,
    room: Annotated[list[str] | None, typer.Argument(help=_("rooms; else all missing"))] = None,
    text: Annotated[str | None, typer.Option(help=_("words for their screens"))] = None,
    replace: Annotated[bool, typer.Option(help=_("fetch them from other meetings"))] = False,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Call."""
    view = _act(context, conductor, Call(meeting, room or [], text, replace), json)
    if view is not None and not room and present(view) == len(view.roster):
        print(f"diemcau: {_('everybody is there: nobody was called')}", file=sys.stderr)


def message(
    context: typer.Context,
    *,
    meeting: Id,
    text: Annotated[str, typer.Argument(help=_("what the screens shall say"))],
    room: Annotated[list[str] | None, typer.Option(help=_("only in these rooms"))] = None,
    answer: Annotated[
        list[str] | None, typer.Option(help=_("an answer to choose; at most two"))
    ] = None,
    urgent: Annotated[bool, typer.Option(help=_("as urgent"))] = False,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Message."""
    level: Level = "urgent" if urgent else "info"
    _act(context, conductor, Message(meeting, text, room or [], level, answer or []), json)


def extend(
    context: typer.Context,
    meeting: Id,
    minutes_from_now: Annotated[
        float, typer.Argument(min=1, help=_("minutes from now until its end"))
    ],
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Extend."""
    _act(context, conductor, Extend(meeting, _from_now(minutes_from_now)), json)


def end(
    context: typer.Context, meeting: Id, conductor: Config = DEFAULT_PATH, json: Json = False
) -> None:
    """End."""
    view = _act(context, conductor, End(meeting), json)
    if not json and view is not None:
        console = session_of(context).console
        console.print(
            _("It is over. What happened: diemcau meeting minutes {id}").format(id=view.id)
        )


def list_(
    context: typer.Context,
    past: Annotated[bool, typer.Option(help=_("those that are over, too"))] = False,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """List."""
    answer = _ask(conductor, ListMeetings(past))
    if json:
        _print_json(answer)
        return
    console = session_of(context).console
    if not answer.meetings and not answer.past:
        console.print(_("No meeting runs: diemcau meeting start"))
    for view in answer.meetings or []:
        over = _("over") if view.ended else f"{present(view)}/{len(view.roster)}"
        console.print(f"{view.number:>5}  {view.id:<24} {over:<10} {view.title or ''}")
    for one in answer.past or []:
        at = datetime.fromisoformat(one.started).astimezone()
        console.print(f"{one.number:>5}  {one.id:<24} {at:%d/%m/%Y %H:%M} {one.title or ''}")


def show(
    context: typer.Context,
    meeting: Annotated[str | None, typer.Argument(help=_("its id; else all that run"))] = None,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Show; exit code 1 if a room is missing."""
    answer = _ask(conductor, ListMeetings())
    views = [one for one in answer.meetings or [] if meeting in (None, one.id) and not one.ended]
    if json:
        _print_json(Answer(meetings=views, link=answer.link))
    else:
        for view in views:
            _print_meeting(session_of(context), view, brief=False)
    if meeting is not None and not views:
        _refuse(Refused("no-such-meeting", meeting))
    if answer.link:
        print(f"diemcau: {answer.link}", file=sys.stderr)
    if any(present(view) < len(view.roster) for view in views):
        raise typer.Exit(1)


def minutes(
    context: typer.Context,
    meeting: Annotated[str, typer.Argument(help=_("its id, or its number in the list"))],
    format: Annotated[str, typer.Option(help=_("md, csv or json"))] = "md",
    conductor: Config = DEFAULT_PATH,
) -> None:
    """Minutes, on standard output."""
    if format not in ("md", "csv", "json"):
        raise typer.BadParameter(_("md, csv or json"), param_hint="--format")
    number = int(meeting) if meeting.isdecimal() else None
    answer = _ask(conductor, ShowMinutes(meeting, number))
    assert answer.minutes is not None
    names = answer.names or {}
    if format == "json":
        _print_json(answer.minutes)
    elif format == "csv":
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows(csv_rows(answer.minutes, names))
        print(out.getvalue(), end="")
    else:
        print(markdown(answer.minutes, names, translate), end="")


def _from_now(minutes_: float) -> datetime:
    return (datetime.now().astimezone() + timedelta(minutes=minutes_)).replace(microsecond=0)


def _act(context: typer.Context, conductor: Path, act: Act, json: bool) -> MeetingView | None:
    try:
        checked = msgspec.convert(msgspec.to_builtins(act), type(act))
    except msgspec.ValidationError as error:
        _refuse(Refused("bad-request", str(error)))
    answer = _ask(conductor, checked)
    for text in (answer.warning, answer.link):
        if text:
            print(f"diemcau: {translate(text)}", file=sys.stderr)
    if json:
        _print_json(answer)
    elif answer.meeting is not None:
        _print_meeting(session_of(context), answer.meeting, brief=True)
    return answer.meeting


def _ask(conductor: Path, request: Act | Question) -> Answer:
    try:
        socket = load(conductor, check_files=False).conductor.socket
    except ConfigError:
        socket = Conductor().socket
    try:
        return ask(Path(socket), request)
    except Refused as refused:
        _refuse(refused)
        raise


def _refuse(refused: Refused) -> NoReturn:
    """Say it and end with 1: the conductor answered, and said no."""
    print(f"diemcau: {refusal(refused.code)} ({words.text(refused.text)})", file=sys.stderr)
    raise typer.Exit(1)


def _print_json(document: object) -> None:
    print(msgspec.json.format(msgspec.json.encode(document)).decode())


def _print_meeting(session: Session, view: MeetingView, *, brief: bool) -> None:
    console = session.console
    for line in lines(view, console.width, brief=brief):
        console.print(line)
