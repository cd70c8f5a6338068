"""Who is meant by an invitation: names and addresses of attendees to rooms and groups of this hub."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from agent.core.model.addresses import all_groups
from agent.core.model.agenda import slug


class KnownRoom(NamedTuple):
    """A room that may be invited; `name` and `mail` may be empty."""

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
