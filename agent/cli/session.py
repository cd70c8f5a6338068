"""What one command line works with: the settings file, the daemon's client and the console.

Made by `agent.cli.app` from the options that every command takes.
"""

from __future__ import annotations

import os
import sys
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from agent.diagnostics.client import DaemonClient
from agent.errors import ConfigError
from agent.settings import Control, Room, Section

if TYPE_CHECKING:
    import typer
    from rich.console import Console

S = TypeVar("S", bound=Section)

PLAIN_WIDTH = 80
"""Columns of output that goes to a file or a pipe: the same on every machine."""

STYLES = {
    "ok": "green",
    "warning": "yellow",
    "failed": "bold red",
    "skipped": "dim",
    "heading": "bold",
    "quiet": "dim",
}


class Session:
    """One run of the tool."""

    def __init__(self, config_path: Path, no_color: bool = False) -> None:
        self.config_path = config_path
        self._no_color = no_color

    @cached_property
    def console(self) -> Console:
        """Where everything is said: colours only on a terminal that wants them."""
        from rich.console import Console
        from rich.theme import Theme

        terminal = sys.stdout.isatty()
        return Console(
            theme=Theme(STYLES),
            width=None if terminal else PLAIN_WIDTH,
            no_color=self._no_color or "NO_COLOR" in os.environ,
            force_terminal=terminal,
            highlight=False,
            markup=False,
            emoji=False,
        )

    @cached_property
    def client(self) -> DaemonClient:
        """The daemon that uses these settings, which may be broken. Raises ConfigError if there is neither."""
        if not self.config_path.exists() and not self.client_if_any.socket_path.exists():
            text = "does not exist; make it with: sudo diemcau setup"
            raise ConfigError([f"{self.config_path}: {text}"])
        return self.client_if_any

    @cached_property
    def client_if_any(self) -> DaemonClient:
        """The same for who looks what is there at all."""
        return DaemonClient(Path(self._socket_path()))

    @cached_property
    def room_name(self) -> str:
        """The room's name for people, if the settings can be read and have one."""
        room = self._section(Room)
        return room.name if room else ""

    def _socket_path(self) -> str:
        return (self._section(Control) or Control()).socket

    def _section(self, kind: type[S]) -> S | None:
        from agent.config import read_file

        try:
            return read_file(self.config_path, check_files=False).sections.of(kind)
        except ConfigError:
            return None


def session_of(context: typer.Context) -> Session:
    """The session that `agent.cli.app` put into the context."""
    return cast(Session, context.obj)


def examples(*lines: str) -> str:
    """The examples under a command's --help; each starts with `diemcau`."""
    from agent.locale import gettext as _

    return "\b\n" + _("Examples:") + "\n" + "\n".join(f"  {line}" for line in lines)
