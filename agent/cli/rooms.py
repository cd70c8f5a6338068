"""`diemcau rooms`: every room of the hub on one screen, worst first, from the broker alone.

Exit code 0 if all are well, 1 if one is not, 2 if the hub can't be reached.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from agent.cli import words
from agent.cli.meeting import Config, Json
from agent.cli.meeting_words import connection, verdict
from agent.cli.output import hanging
from agent.cli.session import Session, examples, session_of
from agent.conductor.core.model.views import RoomView
from agent.conductor.listening import Listening
from agent.conductor.settings import DEFAULT_PATH, load
from agent.core.model.documents import Phase
from agent.errors import HubError
from agent.locale import gettext as _
from agent.locale import ngettext

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

REFRESH_SECONDS = 0.5
AGAIN_SECONDS = 2.0
NAME_CELLS, ID_CELLS, GROUP_CELLS, STATE_CELLS = 18, 10, 13, 22
"""Of a terminal of 80 columns; what a wider one has more is for names and groups."""

STYLES = ("ok", "warning", "failed")


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    text = _("Every room of the hub on one screen, worst first")
    app.command("rooms", help=text, epilog=examples("diemcau rooms --watch"))(rooms)


def rooms(
    context: typer.Context,
    watch: Annotated[
        bool, typer.Option("--watch", help=_("keep it live; end it with Ctrl-C"))
    ] = False,
    conductor: Config = DEFAULT_PATH,
    json: Json = False,
) -> None:
    """Rooms."""
    session = session_of(context)
    if watch:
        _watch(session, conductor, json=json)
        return
    with Listening(load(conductor, check_files=False)) as listening:
        listening.wait()
        views = listening.rooms()
    if json:
        print(msgspec.json.format(msgspec.json.encode(views)).decode())
    else:
        for line in lines(views, session.console.width):
            session.console.print(line)
    if any(view.severity for view in views):
        raise typer.Exit(1)


# --- live

Show = Callable[[list[RoomView], str], None]
"""Gets the rooms as they were seen last, and why they are not seen now; empty if they are."""


def _watch(session: Session, conductor: Path, *, json: bool) -> None:
    """Also while the hub goes and comes."""
    ended = threading.Event()
    # no KeyboardInterrupt: raised while Python clears something up it is lost, and the user types it again
    signal.signal(signal.SIGINT, lambda *_: ended.set())
    if json or not session.console.is_terminal:
        _follow(conductor, ended, _Printing(session, json=json).show)
        return
    from rich.live import Live

    with Live(console=session.console, auto_refresh=False, screen=True) as live:

        def show(views: list[RoomView], trouble: str) -> None:
            from rich.console import Group

            live.update(Group(*screen(views, trouble, session.console)), refresh=True)

        _follow(conductor, ended, show)


def _follow(conductor: Path, ended: threading.Event, show: Show) -> None:
    views: list[RoomView] = []
    settings = load(conductor, check_files=False)
    while not ended.is_set():
        try:
            with Listening(settings) as listening:
                listening.wait()
                while not ended.is_set():
                    listening.check()
                    views = listening.rooms()
                    show(views, "")
                    ended.wait(REFRESH_SECONDS)
        except HubError as error:
            show(views, words.text(error.text))
            ended.wait(AGAIN_SECONDS)


class _Seen(msgspec.Struct, frozen=True):
    """A line for programs: the rooms as they were seen last, and why they are not seen now."""

    rooms: list[RoomView]
    trouble: str


class _Printing:
    """For a pipe: all of it whenever it has changed; as JSON, a line each time."""

    def __init__(self, session: Session, *, json: bool) -> None:
        self._session = session
        self._json = json
        self._before: tuple[list[RoomView], str] | None = None

    def show(self, views: list[RoomView], trouble: str) -> None:
        if (views, trouble) == self._before:
            return
        self._before = views, trouble
        if self._json:
            print(msgspec.json.encode(_Seen(views, trouble)).decode(), flush=True)
            return
        for line in lines(views, self._session.console.width, trouble):
            self._session.console.print(line)


def screen(views: list[RoomView], trouble: str, console: Console) -> list[Text]:
    """As much of it as a terminal shows, and how many rooms are below that."""
    left = console.height - 1
    made = lines(views, console.width, trouble)
    shown: list[Text] = []
    for line in made:
        height = line.plain.count("\n") + 1
        if height > left - (line is not made[-1]):
            break
        shown.append(line)
        left -= height
    if hidden := len(made) - len(shown):
        text = ngettext("… {count} more line", "… {count} more lines", hidden)
        shown.append(hanging(console.width, (), text.format(count=hidden), "quiet"))
    return shown


# --- lines


def lines(views: list[RoomView], width: int, trouble: str = "") -> list[Text]:
    """How many there are and how many are not well, then a line for each, and one for each fault."""
    made = [_head(views, width, trouble)]
    for view in views:
        style = STYLES[view.severity]
        made.append(_room(view, width, style))
        if view.camera_off_by_hand:
            made.append(
                hanging(width, (("    ", ""),), _("camera switched off in the room"), "quiet")
            )
        made += [hanging(width, (("    ", ""),), words.text(one), style) for one in view.faults]
    return made


def _head(views: list[RoomView], width: int, trouble: str) -> Text:
    count, unwell = len(views), sum(view.severity > 0 for view in views)
    text = ngettext("{count} room", "{count} rooms", count).format(count=count)
    text += " · " + (_("{count} not well").format(count=unwell) if unwell else _("all well"))
    text += f" · {time.strftime('%H:%M:%S')}"
    if not trouble:
        return hanging(width, ((text, "heading"),), "")
    lost = _("the hub is lost, what stands here may be old: {text}").format(text=trouble)
    return hanging(width, (), f"{text} · {lost}", "failed")


def _room(view: RoomView, width: int, style: str) -> Text:
    from rich.cells import set_cell_size
    from rich.text import Text

    more = max(0, width - 80)
    cells = (
        (view.name, NAME_CELLS + more // 2),
        (view.room, max(ID_CELLS, len(view.room))),
        (", ".join(view.groups), GROUP_CELLS + more // 2),
        (_state(view), STATE_CELLS),
    )
    text = " ".join(set_cell_size(one, size) for one, size in cells)
    return Text(f"{text} {verdict(view.readiness)}"[:width].rstrip(), style=style)


def _state(view: RoomView) -> str:
    """What it does; that it is connected goes without saying then."""
    if view.connection != "online":
        return connection(view.connection)
    if view.meeting:
        return f"{words.phase(Phase(view.phase))}: {view.meeting}"
    return words.phase(Phase(view.phase))
