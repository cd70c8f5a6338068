"""The ids of the conductor's commands: made of what is ordered, so that the same order has the same id after a restart."""

from __future__ import annotations

import re
from typing import NamedTuple

_FORM = re.compile(r"(.+)-([0-9]{1,18})-([a-z]+)-([0-9]{1,18})")


class CommandId(NamedTuple):
    """`<instance>-<number>-<type>-<revision>`: the journal's instance, the meeting's number, the command's type, and
    which of its type it is for the room."""

    instance: str
    number: int
    type: str
    revision: int

    def __str__(self) -> str:
        return f"{self.instance}-{self.number}-{self.type}-{self.revision}"

    @classmethod
    def parse(cls, text: str) -> CommandId | None:
        """None for an id of another form, which somebody else has given."""
        found = _FORM.fullmatch(text)
        return cls(found[1], int(found[2]), found[3], int(found[4])) if found else None
