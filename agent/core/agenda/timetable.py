"""The items of a room's agenda by time: what is to come, and what may matter now, without looking at the rest.

The room follows its agenda after every event, and a document may have hundreds of items: nothing but those that are near
may cost something then.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime, timedelta

from agent.core.model.agenda import MAX_ITEM_HOURS, Agenda, AgendaItem

LONGEST = timedelta(hours=MAX_ITEM_HOURS)


class Timetable:
    """Of these documents; of an id that two of them name, the room's own counts."""

    def __init__(self, documents: dict[str, Agenda]) -> None:
        self._documents = sorted(documents.items())  # group/... before room/...
        self._valid_until: list[datetime] = sorted({one.valid_until for one in documents.values()})
        self._valid = -1
        """How many of those moments were past when the items were put in order."""
        self._items: list[AgendaItem] = []
        self._starts: list[datetime] = []
        self._by_id: dict[str, AgendaItem] = {}

    def to_come(self, now: datetime, ahead: timedelta | None = None) -> list[AgendaItem]:
        """What is not over, in order of time; with `ahead`, only what has begun by then."""
        self._put_in_order(now)
        first = bisect_right(self._starts, now - LONGEST)
        last = len(self._items) if ahead is None else bisect_right(self._starts, now + ahead)
        return [item for item in self._items[first:last] if item.ends > now]

    def beginning(self, now: datetime, ahead: timedelta) -> Iterator[AgendaItem]:
        """What has not begun and does by then, in order of time; only as many are looked at as are asked for."""
        self._put_in_order(now)
        for place in range(
            bisect_right(self._starts, now), bisect_right(self._starts, now + ahead)
        ):
            yield self._items[place]

    def has_more(self, now: datetime) -> bool:
        """Whether anything begins later."""
        self._put_in_order(now)
        return bool(self._starts) and self._starts[-1] > now

    def find(self, item_id: str, now: datetime) -> AgendaItem | None:
        """The item, unless it is over."""
        self._put_in_order(now)
        item = self._by_id.get(item_id)
        return item if item is not None and item.ends > now else None

    def _put_in_order(self, now: datetime) -> None:
        """Anew when a document has become invalid, or valid again by a clock that was set."""
        valid = bisect_right(self._valid_until, now)
        if valid == self._valid:
            return
        self._valid = valid
        found: dict[str, AgendaItem] = {}
        for _, document in self._documents:
            if document.valid_until > now:
                found |= {item.id: item for item in document.items}
        self._by_id = found
        self._items = sorted(found.values(), key=lambda item: (item.starts, item.id))
        self._starts = [item.starts for item in self._items]
