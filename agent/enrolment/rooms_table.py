"""A table of rooms, as an office keeps it: CSV with the columns id, name, groups."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import NamedTuple

from agent.core.model.commands import IDENTIFIER
from agent.errors import ConfigError


class TableRoom(NamedTuple):
    """One line; `groups` stand in one cell, with spaces or ; between them."""

    id: str
    name: str
    groups: list[str]


def read_rooms(path: Path) -> list[TableRoom]:
    """The rooms of the table. Raises ConfigError with every line that can't be used."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([f"{path}: cannot be read: {error}"]) from error
    separator = (
        ";" if text.partition("\n")[0].count(";") > text.partition("\n")[0].count(",") else ","
    )
    lines = list(csv.DictReader(text.splitlines(), delimiter=separator))
    if not lines or "id" not in lines[0]:
        raise ConfigError([f"{path}: the first line must name the columns: id,name,groups"])
    problems, rooms = [], {}
    for number, line in enumerate(lines, start=2):
        room = TableRoom(
            (line["id"] or "").strip(),
            (line.get("name") or "").strip(),
            re.findall(r"[^\s;,]+", line.get("groups") or ""),
        )
        wrong = [name for name in (room.id, *room.groups) if not re.match(IDENTIFIER, name)]
        problems += [f"{path}:{number}: {one!r} is no id; use a-z, 0-9 and -" for one in wrong]
        if room.id in rooms:
            problems.append(f"{path}:{number}: the room {room.id} stands there twice")
        rooms[room.id] = room
    if problems:
        raise ConfigError(problems)
    return list(rooms.values())
