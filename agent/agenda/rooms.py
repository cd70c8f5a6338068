"""Who is meant by an invitation: names and addresses of attendees to rooms and groups of this hub.

The list is a CSV file with the columns `id,name,groups,mail` (groups with spaces between), the same that
`diemcau hub enroll --from` takes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import NamedTuple

from agent.core.model.addresses import all_groups
from agent.core.model.agenda import slug
from agent.core.model.commands import IDENTIFIER
from agent.errors import AgentError


class KnownRoom(NamedTuple):
    """A line of the list."""

    id: str
    name: str
    groups: tuple[str, ...]
    mail: str


class Matched(NamedTuple):
    """Addresses (`room/<id>`, `group/<id>`) in order, and the attendees that are neither."""

    addresses: list[str]
    strangers: list[str]


class RoomList:
    """The rooms of a hub, found by id, name, mail address or the part before its @."""

    def __init__(self, rooms: Iterable[KnownRoom]) -> None:
        self.rooms = list(rooms)
        self._by_word: dict[str, str] = {}
        for group in sorted(all_groups(group for room in self.rooms for group in room.groups)):
            self._by_word[group] = f"group/{group}"
        for room in self.rooms:
            for word in (room.id, room.mail.lower(), slug(room.name)):
                if word:
                    self._by_word[word] = f"room/{room.id}"

    def match(self, attendees: Iterable[str]) -> Matched:
        """Case, marks and spaces of names don't matter: `Xã Lũng Cú` is `xa-lung-cu`."""
        addresses: dict[str, None] = {}
        strangers = []
        for attendee in attendees:
            address = self._find(attendee)
            if address:
                addresses[address] = None
            else:
                strangers.append(attendee)
        return Matched(list(addresses), strangers)

    def _find(self, attendee: str) -> str | None:
        words = [attendee.lower(), slug(attendee)]
        if "@" in attendee:
            words.append(slug(attendee.partition("@")[0]))
        return next((self._by_word[word] for word in words if word in self._by_word), None)


def read_rooms(text: str, name: str) -> RoomList:
    """The list in a CSV file. Raises AgentError with every line that is wrong, by its number."""
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    columns = reader.fieldnames or []
    if "id" not in columns:
        raise AgentError(
            "bad-list", f"{name}: the first line must name the columns: id,name,groups,mail"
        )
    rooms: dict[str, KnownRoom] = {}
    problems = []
    for row in reader:
        fields = {
            key: (value or "").strip()
            for key, value in row.items()
            if isinstance(value, str | None) and key
        }
        room = KnownRoom(
            fields.get("id", ""),
            fields.get("name", ""),
            tuple(fields.get("groups", "").split()),
            fields.get("mail", ""),
        )
        wrong = [one for one in (room.id, *room.groups) if not re.match(IDENTIFIER, one)]
        if wrong:
            problems.append(
                f"{name}:{reader.line_num}: {wrong[0]!r} is no id; use a-z, 0-9 and -, as in {slug(wrong[0]) or 'xa-lung-cu'!r}"
            )
        elif room.id in rooms:
            problems.append(f"{name}:{reader.line_num}: the room {room.id!r} stands there twice")
        else:
            rooms[room.id] = room
    if problems:
        raise AgentError("bad-list", "\n".join(problems))
    return RoomList(rooms.values())
