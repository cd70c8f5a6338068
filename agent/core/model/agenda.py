"""The agenda document: the meetings of a room's next days, as the hub retains them (docs/contract.md, "Agenda").

Instances are expanded already and times are instants, so a room needs no calendar. `agent.agenda` makes documents out of
iCalendar files, `agent.core.agenda.control` lives by them.
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct, structs

from agent.core.model.cleaning import clean
from agent.core.model.commands import Attendance, Instant, MeetingId

MAX_AGENDA_BYTES = 256 * 1024
"""200 items with long URLs take 120 KB."""

MAX_ITEMS = 200
MAX_DAYS = 14
MAX_ITEM_HOURS = 24

ITEM_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}\Z"


class AgendaItem(Struct, frozen=True, omit_defaults=True):
    """One meeting. `id` stays the same when it is moved; `local` is its time as people say it, for the eye only."""

    id: Annotated[str, Meta(pattern=ITEM_ID)]
    title: Annotated[str, Meta(min_length=1, max_length=200)]
    starts: Instant
    ends: Instant
    join: Attendance
    """How it is joined. Until when is the item's end, and who comes by the agenda comes muted."""
    local: Annotated[str, Meta(max_length=80)] = ""
    ring: bool = False
    """Ring at the start, as an urgent call does."""
    priority: Annotated[int, Meta(ge=0, le=9)] = 0
    """0 is an ordinary meeting; a higher one may take a room out of a lower one."""
    cancelled: bool = False

    def __post_init__(self) -> None:
        structs.force_setattr(self, "title", clean(self.title) or self.id)
        structs.force_setattr(self, "local", clean(self.local))
        if not timedelta(0) < self.ends - self.starts <= timedelta(hours=MAX_ITEM_HOURS):
            raise ValueError(f"ends must come after starts, {MAX_ITEM_HOURS} h at the most")


class Agenda(Struct, frozen=True, omit_defaults=True):
    """What one topic says. The highest `version` of a topic counts; past `valid_until` nothing of it does."""

    v: Literal[1]
    version: Annotated[int, Meta(ge=1, le=2**53)]
    issued: Instant
    valid_until: Instant
    items: Annotated[list[AgendaItem], Meta(max_length=MAX_ITEMS)]
    to: Annotated[str, Meta(max_length=80)] | None = None
    """`room/<room>` or `group/<group>`; mandatory where it is signed, else it may be left out."""

    def __post_init__(self) -> None:
        ids = [item.id for item in self.items]
        if len(set(ids)) != len(ids):
            raise ValueError(
                f"items: the id {next(one for one in ids if ids.count(one) > 1)!r} stands twice"
            )
        if self.valid_until <= self.issued:
            raise ValueError("valid_until must come after issued")
        ahead = timedelta(days=MAX_DAYS)  # issued + ahead may be past year 9999
        if late := next((i.id for i in self.items if i.starts - self.issued > ahead), None):
            raise ValueError(f"items: {late!r} begins more than {MAX_DAYS} days after issued")


class AgendaMemory(Struct, frozen=True):
    """What is kept on disk: the document of each address, when which item was left by hand, and the item that the room
    is in or was brought to last."""

    documents: dict[str, Agenda] = {}
    dismissed: dict[str, datetime] = {}
    joined: AgendaItem | None = None

    def dismiss(self, item_id: str, left: datetime) -> AgendaMemory:
        """This item is not joined again, unless it is moved to begin later."""
        return structs.replace(self, dismissed=self.dismissed | {item_id: left})

    def is_dismissed(self, item: AgendaItem, ahead: timedelta) -> bool:
        """Whether it was left by hand since it could be joined, `ahead` of its beginning."""
        left = self.dismissed.get(item.id)
        return left is not None and item.starts - ahead <= left

    def prune(self, now: datetime) -> AgendaMemory:
        """Without what was left a day ago and stands in no document; the same object when there is nothing to forget."""
        limit = now - timedelta(days=1)
        old = {item_id for item_id, left in self.dismissed.items() if left <= limit}
        if old:
            old -= {item.id for document in self.documents.values() for item in document.items}
        if not old:
            return self
        kept = {item: left for item, left in self.dismissed.items() if item not in old}
        return structs.replace(self, dismissed=kept)


class AgendaRules(Struct, frozen=True):
    """When the room does what, in minutes before an item's beginning (setting `agenda`)."""

    join_minutes_before: float = 2
    announce_minutes_before: float = 5
    check_minutes_before: tuple[float, ...] = (60, 10)
    quiet_check_minutes_before: float = 30
    """A check earlier than this makes no sound: somebody else may be in the room."""


_encoder = msgspec.json.Encoder()


def encode_agenda(agenda: Agenda) -> bytes:
    """As it goes to the broker, unsigned."""
    return _encoder.encode(agenda)


def meeting_id_of(title: str, fallback: str) -> MeetingId:
    """A meeting's id out of its title: `Giao ban buổi sáng` gives `giao-ban-buoi-sang`."""
    return slug(title)[:64].rstrip("-") or fallback


def slug(text: str) -> str:
    """Lower case letters a to z, digits and single hyphens; Vietnamese letters lose their marks."""
    plain = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D")).casefold()
    kept = "".join(
        c if c.isascii() and c.isalnum() else " " for c in plain if unicodedata.category(c) != "Mn"
    )
    return "-".join(kept.split())
