"""A table of rooms, as an office keeps it: CSV with the columns id, name, groups, mail, for certificates and invitations."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from typing import NamedTuple

from agent.core.model.agenda import slug
from agent.core.model.commands import IDENTIFIER
from agent.errors import ConfigError


class TableRoom(NamedTuple):
    """One line; a column that the table does not have is empty. `groups` stand in one cell, with spaces, `,` or `;`
    between them."""

    id: str
    name: str
    groups: tuple[str, ...]
    mail: str


def read_rooms(path: Path) -> list[TableRoom]:
    """The rooms of a table in UTF-8, with `,` or `;` between its columns. Raises ConfigError with every line that can't be
    used."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from error
    head = text.partition("\n")[0]
    separator = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator)
    if "id" not in (reader.fieldnames or ()):
        raise ConfigError([f"{path}: the first line must name the columns: id,name,groups,mail"])
    problems: list[str] = []
    rooms: dict[str, TableRoom] = {}
    for line in reader:
        room = _room(line)
        for one in (room.id, *room.groups):
            if not re.match(IDENTIFIER, one):
                like = slug(one) or "xa-lung-cu"
                problems.append(
                    f"{path}:{reader.line_num}: {one!r} is no id; use a-z, 0-9 and -, as in {like}"
                )
        if room.id in rooms:
            problems.append(f"{path}:{reader.line_num}: the room {room.id} stands there twice")
        rooms[room.id] = room
    if problems or not rooms:
        raise ConfigError(problems or [f"{path}: there is no room in it"])
    return list(rooms.values())


def _room(line: dict[str, str | None]) -> TableRoom:
    def cell(column: str) -> str:
        return (line.get(column) or "").strip()

    groups = tuple(re.findall(r"[^\s;,]+", cell("groups")))
    return TableRoom(cell("id"), cell("name"), groups, cell("mail"))
